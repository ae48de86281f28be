from django.urls import path

from console.try_it import views

app_name = "try_it"
urlpatterns = [
    path("", views.try_it, name="index"),
    path("token/", views.try_it_token, name="token"),
]
