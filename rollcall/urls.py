"""URLs of Django admin and the console. The Server API routes its own paths (`api.doors`) before
this URLconf.
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
