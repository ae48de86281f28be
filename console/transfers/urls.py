from django.urls import path

from console.transfers import imports, views

app_name = "transfers"
urlpatterns = [
    path("", views.transfer_list, name="index"),
    path("import/", imports.upload, name="upload"),
    path("imports/<int:job_id>/", imports.import_job, name="import_job"),
    path("imports/<int:job_id>/confirm/", imports.import_confirm, name="confirm"),
    path("imports/<int:job_id>/cancel/", imports.import_cancel, name="cancel"),
    path("imports/<int:job_id>/not-imported.csv", imports.import_manifest, name="manifest"),
    path("export/<slug:source>/", views.export, name="export"),
    path("export/<slug:source>/file", views.export_now, name="file"),
    path("exports/<int:job_id>/", views.export_job, name="export_job"),
    path("exports/<int:job_id>/file", views.export_file, name="export_file"),
    path("exports/<int:job_id>/cancel/", views.export_cancel, name="cancel_export"),
]
