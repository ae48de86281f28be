"""Django admin with its own name, and with protection against malformed URLs."""

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
        """PostgreSQL accepts no NUL, and Django's filters pass on whatever a URL contains."""
        wrapped = super().admin_view(view, cacheable)

        @wraps(wrapped)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            given = (value for values in request.GET.lists() for value in values[1])
            if any("\0" in text for text in (*given, *map(str, kwargs.values()))):
                raise BadRequest("A filter cannot contain a NUL character")
            return wrapped(request, *args, **kwargs)

        return checked


class SupportConfig(AdminConfig):
    default_site = "rollcall.support_site.SupportSite"
