from django.urls import path

from console.quota import jobs, views

app_name = "quota"
urlpatterns = [
    path("", views.quota, name="index"),
    path("preview/", jobs.deletion_preview, name="preview"),
    path("jobs/<int:job_id>/", jobs.deletion_job, name="job"),
    path("jobs/<int:job_id>/confirm/", jobs.deletion_confirm, name="confirm"),
    path("jobs/<int:job_id>/cancel/", jobs.deletion_cancel, name="cancel"),
]
