from django.urls import path

from console.requests import views

app_name = "requests"
urlpatterns = [
    path("", views.request_list, name="index"),
    path("<slug:request_id>/", views.request_detail, name="detail"),
]
