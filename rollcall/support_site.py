"""Django admin with our titles, which rejects hand-made URLs that PostgreSQL cannot handle."""

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
        """Answer 400 to a NUL: PostgreSQL accepts none, and Django's filters pass it on."""
        original = super().admin_view(view, cacheable)

        @wraps(original)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            values = (value for _, several in request.GET.lists() for value in several)
            if any("\0" in text for text in (*values, *map(str, kwargs.values()))):
                raise BadRequest("A filter cannot contain NUL")
            return original(request, *args, **kwargs)

        return without_nul


class SupportConfig(AdminConfig):
    default_site = "rollcall.support_site.SupportSite"
