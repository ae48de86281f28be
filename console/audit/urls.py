from django.urls import path

from console.audit import seals, undoing, views

app_name = "audit"
urlpatterns = [
    path("audit/", views.audit_log, name="index"),
    path("audit/<int:line_id>/", views.audit_line, name="line"),
    path("audit/<int:line_id>/undo/", undoing.line_undo, name="undo"),
    path("audit/seals/", seals.seals, name="seals"),
]
