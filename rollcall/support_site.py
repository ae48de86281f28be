"""Django admin under a name of its own, and safe from addresses made up by hand."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase


class SupportSite(AdminSite):
    site_header = "Rollcall support"
    site_title = "Rollcall support"
    index_title = "Records"

    def admin_view(  # type: ignore[override]  # Django's stubs name its type for themselves
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        """PostgreSQL takes no NUL, and Django's filters hand on whatever an address says."""
        shown = super().admin_view(view, cacheable)

        @wraps(shown)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            given = (value for values in request.GET.lists() for value in values[1])
            if any("\0" in text for text in (*given, *map(str, kwargs.values()))):
                raise BadRequest("No filter can hold a NUL")
            return shown(request, *args, **kwargs)

        return checked


class SupportConfig(AdminConfig):
    default_site = "rollcall.support_site.SupportSite"
