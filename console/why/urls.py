from django.urls import path

from console.why import views

app_name = "why"
urlpatterns = [
    path("why/", views.why, name="index"),
    path("why.json", views.why_json, name="json"),
]
