from django.urls import path

from console.members import views

app_name = "members"
urlpatterns = [
    path("", views.member_list, name="index"),
    path("second-factor/", views.second_factor_change, name="second_factor"),
    path("add/", views.member_add, name="add"),
    path("<int:member_id>/change/", views.member_change, name="change"),
    path("<int:member_id>/remove/", views.member_remove, name="remove"),
    path("<int:member_id>/invite/", views.member_invite, name="invite"),
]
