from django.urls import path

from console.try_it import views, web_clients

app_name = "try_it"
urlpatterns = [
    path("", views.try_it, name="index"),
    path("client/", web_clients.try_it_client, name="client"),
    path("token/", views.try_it_token, name="token"),
]
