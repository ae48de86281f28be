from django.urls import path

from console.overview import views

app_name = "overview"
urlpatterns = [
    path("", views.overview, name="index"),
    path("new/", views.application_create, name="create"),
]
