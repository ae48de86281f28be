from django.urls import path

from console.audit import views

app_name = "audit"
urlpatterns = [
    path("audit/", views.audit_log, name="index"),
    path("audit.csv", views.audit_export, name="export"),
]
