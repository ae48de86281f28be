"""Imports and exports, for support, who do not see the lines and files: they hold personal data."""

from django.contrib import admin

from applications.admin_base import SupportAdmin
from transfers.models import ExportChunk, ExportJob, ImportJob, ImportRow


@admin.register(ImportJob)
class ImportJobAdmin(SupportAdmin):
    list_display = ("file_name", "kind", "state", "environment", "uploaded_at", "uploaded_by")


@admin.register(ImportRow)
class ImportRowAdmin(SupportAdmin):
    list_display = ("job", "line", "result")
    fields = ("job", "line", "result", "problem")
    list_select_related = ("job",)
    search_path = "job__environment"


@admin.register(ExportJob)
class ExportJobAdmin(SupportAdmin):
    list_display = ("kind", "state", "rows", "environment", "requested_at", "requested_by")
    exclude = ("cursor",)


@admin.register(ExportChunk)
class ExportChunkAdmin(SupportAdmin):
    list_display = ("job", "number")
    fields = ("job", "number")
    list_select_related = ("job",)
    search_path = "job__environment"
