from django.urls import path

from console.deactivated import views

app_name = "deactivated"
urlpatterns = [
    path("", views.deactivated_list, name="index"),
    path("<user_id:user_id>/call/", views.reactivation_call, name="reactivation_call"),
]
