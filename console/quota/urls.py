from django.urls import path

from console.quota import jobs, rules, undo, views

app_name = "quota"
urlpatterns = [
    path("", views.quota, name="index"),
    path("rules/add/", rules.rule_add, name="add_rule"),
    path("rules/<int:rule_id>/remove/", rules.rule_remove, name="remove_rule"),
    path("preview/", jobs.deletion_preview, name="preview"),
    path("undo/<int:deleted_id>/", undo.undo_one, name="undo"),
    path("jobs/<int:job_id>/undo/", undo.undo_job, name="undo_job"),
    path("jobs/<int:job_id>/", jobs.deletion_job, name="job"),
    path("jobs/<int:job_id>/confirm/", jobs.deletion_confirm, name="confirm"),
    path("jobs/<int:job_id>/cancel/", jobs.deletion_cancel, name="cancel"),
]
