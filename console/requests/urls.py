from django.urls import path

from console.requests import sending, views

app_name = "requests"
urlpatterns = [
    path("", views.request_list, name="index"),
    path("send/", sending.call_send, name="send"),
    path("<slug:request_id>/", views.request_detail, name="detail"),
]
