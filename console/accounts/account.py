"""How an account signs in: password, second factors, recovery codes, provider, and its sessions."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.base.views import IndexView
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from applications import staff_sessions
from applications.models import Application, StaffSession
from console.accounts import browsers, providers
from console.accounts.anew import signed_in_anew
from console.accounts.views import PLACE

HOME = reverse_lazy("mfa_index")


class _Account(IndexView):  # type: ignore[misc]
    template_name = f"{PLACE}/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request, account = self.request, self.request.user
        sessions = StaffSession.objects.of(account, now=timezone.now())
        current = request.session.row
        return {
            **super().get_context_data(**kwargs),
            "sessions": [
                {
                    "session": session,
                    "browser": browsers.name_of(session.browser),
                    "is_current": current is not None and session.pk == current.pk,
                }
                for session in sessions
            ],
            "provider": providers.provider(request),
            "connected": providers.connected(account),
            "required_by": Application.objects.filter(
                members__account=account, second_factor_required=True
            ).order_by("name"),
        }


def _page(view: type[View], template: str, **options: Any) -> Callable[..., HttpResponseBase]:
    """A page that shows or changes secrets: after signing in anew, in one transaction with its
    audit lines, and kept by no browser.
    """
    shown = view.as_view(template_name=f"{PLACE}/{template}", **options)
    return never_cache(signed_in_anew(transaction.atomic(shown)))


account = never_cache(_Account.as_view())
app_add = _page(ActivateTOTPView, "app_add.html")
app_remove = _page(DeactivateTOTPView, "app_remove.html")
passkey_add = _page(AddWebAuthnView, "passkey_add.html")
passkey_edit = _page(EditWebAuthnView, "passkey_edit.html", success_url=HOME)
passkey_remove = _page(RemoveWebAuthnView, "passkey_remove.html", success_url=HOME)
codes = _page(ViewRecoveryCodesView, "codes.html")
codes_renew = _page(GenerateRecoveryCodesView, "codes_renew.html")
codes_download = _page(DownloadRecoveryCodesView, "codes.txt")


@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End another session of the same account."""
    ended = staff_sessions.end(account=request.user, session_key=request.POST.get("session", ""))
    text = (
        gettext("That browser is signed out.")
        if ended
        else gettext("That browser was signed out already.")
    )
    messages.success(request, text)
    return redirect(HOME)


@require_POST
def sessions_end_others(request: Any) -> HttpResponse:
    row = request.session.row
    ended = staff_sessions.end_others(account=request.user, current=row.pk if row else "")
    text = gettext("No other browser was signed in.")
    if ended:
        text = (
            gettext("One other browser is signed out.")
            if ended == 1
            else gettext("{ended} others are signed out.").format(ended=ended)
        )
    messages.success(request, text)
    return redirect(HOME)
