from django.urls import path

from console.bans import dialogs, lifting, views

app_name = "bans"
urlpatterns = [
    path("", views.ban_list, name="index"),
    path("impose/", dialogs.ban_impose, name="impose"),
    path("change/", dialogs.ban_change_several, name="change_several"),
    path("<int:ban_id>/change/", dialogs.ban_change, name="change"),
    path("preview/", dialogs.ban_preview, name="preview"),
    path("lift/", lifting.ban_lift, name="lift"),
    path("undo-lift/", lifting.ban_undo_lift, name="undo_lift"),
]
