"""How Django admin calls itself."""

from django.contrib import admin

admin.site.site_header = "Rollcall support"
admin.site.site_title = "Rollcall support"
admin.site.index_title = "Records"
