from django.urls import path

from console.health import views

app_name = "health"
urlpatterns = [
    path("", views.health, name="index"),
]
