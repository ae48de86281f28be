from django.urls import path

from console.lists import views

app_name = "lists"
urlpatterns = [
    path("", views.list_browse, name="index"),
    path("add/", views.list_add, name="add"),
    path("remove/", views.list_remove, name="remove"),
    path("switch/", views.allowlist_switch, name="switch"),
]
