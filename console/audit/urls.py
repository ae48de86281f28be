from django.urls import path

from console.audit import seals, views

app_name = "audit"
urlpatterns = [
    path("audit/", views.audit_log, name="index"),
    path("audit/<int:line_id>/", views.audit_line, name="line"),
    path("audit/seals/", seals.seals, name="seals"),
    path("audit.csv", views.audit_export, name="export"),
]
