"""Django admin with our titles. Its staff sign in by the console, and changes need a sign-in of the
last ten minutes. It rejects hand-made URLs that PostgreSQL cannot handle.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

# What django-allauth would add: secrets of second factors, which no page may show or change.
_NOT_SHOWN = {"account", "mfa", "socialaccount"}


def _login_not_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Django's own decorator imports models, which are not loaded yet when this module is."""
    view.login_required = False  # type: ignore[attr-defined]
    return view


class SupportSite(AdminSite):
    site_header = "Rollcall support"
    site_title = "Rollcall support"
    index_title = "Records"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = (
            model_or_iterable
            if isinstance(model_or_iterable, list | tuple)
            else [model_or_iterable]
        )
        shown = [model for model in models if model._meta.app_label not in _NOT_SHOWN]
        super().register(shown, admin_class, **options)

    @method_decorator(never_cache)
    @method_decorator(_login_not_required)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The console's sign-in, where second factors are asked for."""
        if not apps.is_installed("console"):
            return super().login(request, extra_context)
        if request.user.is_authenticated:
            raise PermissionDenied("Your account may not use Django admin.")
        path = request.GET.get("next", request.get_full_path())
        return redirect(f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': path})}")

    def password_change(  # type: ignore[override]  # it may redirect
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The console's page, which writes the audit trail."""
        if not apps.is_installed("console"):
            return super().password_change(request, extra_context)
        return redirect("account_change_password")

    def admin_view(  # type: ignore[override]  # Django's stubs name its type for themselves
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        """Answer 400 to a NUL: PostgreSQL accepts none, and Django's filters pass it on."""
        original = super().admin_view(_asking(view), cacheable)

        @wraps(original)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            values = (value for _, several in request.GET.lists() for value in several)
            if any("\0" in text for text in (*values, *map(str, kwargs.values()))):
                raise BadRequest("A filter cannot contain NUL")
            return original(request, *args, **kwargs)

        return without_nul


def _asking(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Ask for signing in anew before a change."""
    if not apps.is_installed("console"):
        return view
    from console.accounts.anew import signed_in_anew

    anew = signed_in_anew(view)

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_change = request.method == "POST"
        return (anew if is_change else view)(request, *args, **kwargs)

    return asking


class SupportConfig(AdminConfig):
    default_site = "rollcall.support_site.SupportSite"
