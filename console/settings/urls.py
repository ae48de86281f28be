from django.urls import path

from console.settings import plan, retention, views

app_name = "settings"
urlpatterns = [
    path("", views.settings, name="index"),
    path("change/", views.settings_change, name="change"),
    path("retention/", retention.settings_retention, name="retention"),
    path("retention/change/", retention.retention_change, name="change_retention"),
    path("plan/", plan.plan_change, name="plan"),
    path("doors/", views.doors_change, name="doors"),
    path("deletion/unlock/", views.deletion_unlock, name="unlock_deletion"),
    path("deletion/lock/", views.deletion_lock, name="lock_deletion"),
    path("rename/", views.application_rename, name="rename"),
]
