from django.urls import path

from console.connections import views

app_name = "connections"
urlpatterns = [
    path("", views.connection_list, name="index"),
    path("<int:connection_id>/kick/", views.connection_kick, name="kick"),
]
