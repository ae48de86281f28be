"""Where each door begins. The Server API has a plan of its own (`api.doors`), and answers before
this one is asked.
"""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [path("admin/", admin.site.urls)]

if apps.is_installed("console"):
    from console.favicon import favicon

    handler403 = "console.errors.forbidden"
    handler500 = "console.errors.failed"
    urlpatterns += [
        path("", RedirectView.as_view(pattern_name="overview:index"), name="root"),
        path("console/", include("console.urls")),
        path("favicon.ico", favicon, name="favicon"),
    ]
