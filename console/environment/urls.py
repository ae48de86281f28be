from django.urls import path

from console.environment import views

app_name = "environment"
urlpatterns = [
    path("", views.environment, name="index"),
]
