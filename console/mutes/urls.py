from django.urls import path

from console.mutes import actions, views

app_name = "mutes"
urlpatterns = [
    path("", views.mute_list, name="index"),
    path("impose/", actions.mute_impose, name="impose"),
    path("lift/", actions.mute_lift, name="lift"),
    path("undo-lift/", actions.mute_undo_lift, name="undo_lift"),
]
