"""Signing in by the OpenID Connect provider of the installation.

Invariants
----------
* Only the provider's own id of a person (`sub`) says whose account it is. A mail address or a name,
  verified or not, never joins an account that exists: a provider may lie about both. The account's
  owner connects the provider while signed in.
* Whoever has no account gets one only if a group of theirs gives a role.
* Nothing that the provider tells about a person is stored except its id and the username.
"""

from collections.abc import Callable
from typing import Any, NoReturn, cast

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.openid_connect import views
from allauth.socialaccount.signals import social_account_added, social_account_removed
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from applications import groups, second_factors
from applications.audit import Actor
from applications.models import AuditEvent
from applications.requests import acting_staff, client_address, own_request_id
from console.accounts.anew import signed_in_anew


def _installed() -> Any:
    """The provider of the settings, where there is one."""
    return settings.OIDC


def provider(request: HttpRequest) -> dict[str, str] | None:
    """The provider's name, and the URL of the form that leads to it."""
    if settings.OIDC is None:
        return None
    url = reverse("openid_connect_login", args=[settings.OIDC.id])
    return {"name": settings.OIDC.name, "url": url}


def connected(account: Any) -> bool:
    """Whether the account can sign in by the provider."""
    known = settings.OIDC is not None and SocialAccount.objects.filter(
        user=account, provider=settings.OIDC.id
    )
    return bool(known and known.exists())


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "connected_other": gettext_lazy("It is connected to another account already."),
    }

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True  # `pre_social_login` has refused whom no group gives a role

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        claims = _claims(sociallogin)
        sociallogin.email_addresses = []
        sociallogin.account.extra_data = {}
        if sociallogin.is_existing:
            sociallogin.account.save(update_fields=["extra_data"])
        if sociallogin.state.get("process") == "connect":
            return
        roles = groups.highest(_grants(claims))
        if sociallogin.is_existing:
            if sociallogin.user.is_active:
                _follow(request, sociallogin.user, roles)
            return
        if not roles:
            raise Refused(request, gettext("None of your groups there gives you a role here."))
        sociallogin.roles = roles  # for `save_user`
        sociallogin.user.email = ""
        sociallogin.user.username = _username(request, claims)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        account = super().save_user(request, sociallogin, form)
        _follow(request, account, sociallogin.roles)
        return account

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, **_: Any
    ) -> NoReturn:
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(redirect("account_login"))
        raise Refused(request, gettext("It did not confirm who you are. Try again."))


class Refused(ImmediateHttpResponse):  # type: ignore[misc]
    """Raised where allauth expects no response."""

    def __init__(self, request: HttpRequest, reason: str):
        super().__init__(_refused(request, reason))


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    """The page that says why nobody was signed in."""
    context = {"provider": provider(request), "reason": reason}
    return render(request, "console/accounts/provider_refused.html", context, status=403)


def _claims(sociallogin: Any) -> dict[str, Any]:
    """What the provider says about the person. Its two sources must speak of the same one."""
    told = sociallogin.account.extra_data
    userinfo, id_token = told.get("userinfo", {}), told.get("id_token", {})
    subjects = {each["sub"] for each in (userinfo, id_token) if "sub" in each}
    if subjects != {sociallogin.account.uid}:
        raise ValueError("The provider names two people at once")
    return {**id_token, **userinfo}


def _grants(claims: dict[str, Any]) -> list[tuple[str, str]]:
    """The pairs of application and role that the person's groups give."""
    named = claims.get(_installed().groups_claim, [])
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    return [grant for name in names for grant in _installed().roles.get(str(name), [])]


def _username(request: HttpRequest, claims: dict[str, Any]) -> str:
    """A free username, from what the provider calls the person."""
    model = get_user_model()
    name = str(claims.get("preferred_username") or claims.get("email") or claims["sub"]).strip()
    try:
        model._meta.get_field("username").run_validators(name)
    except ValidationError:
        raise Refused(
            request, gettext("The username “{name}” cannot be used here.").format(name=name[:150])
        ) from None
    if model.objects.filter(username__iexact=name).exists():
        raise Refused(
            request,
            gettext(
                "There is an account “{name}” here already. If it is yours, sign in to it "
                "and connect the provider on the page of your account."
            ).format(name=name),
        )
    return name


def _follow(request: HttpRequest, account: Any, roles: Any) -> None:
    by = Actor(
        kind=AuditEvent.ActorKind.SYSTEM,
        name=f"groups at {_installed().name}"[:150],
        via="sign-in",
        address=client_address(request),
        request_id=own_request_id(request),
    )
    groups.follow(account=account, roles=roles, by=by, now=timezone.now())


@require_POST
@login_not_required
def sign_in(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the provider."""
    return _answer(request, views.login, provider_id)


@require_safe
@login_not_required
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The provider has sent the browser back here."""
    return _answer(request, views.callback, provider_id)


def _answer(request: HttpRequest, view: Any, provider_id: str) -> HttpResponse:
    if settings.OIDC is None or provider_id != settings.OIDC.id:
        raise Http404
    try:
        return cast(HttpResponse, view(request, provider_id))
    except ImmediateHttpResponse as refusal:
        return cast(HttpResponse, refusal.response)
    except requests.RequestException:
        return _refused(request, gettext("It cannot be reached. Try again later."))
    except (LookupError, ValueError, TypeError, AttributeError):
        # What it sent is not what OpenID Connect describes.
        return _refused(request, gettext("Its answer cannot be understood."))


@signed_in_anew
@require_POST
def disconnect(request: HttpRequest) -> HttpResponse:
    """Only where another way to sign in is left."""
    account: Any = request.user
    if not account.has_usable_password():
        messages.error(request, gettext("It is the only way in which you can sign in."))
        return redirect("mfa_index")
    for each in SocialAccount.objects.filter(user=account, provider=_installed().id):
        each.delete()
        social_account_removed.send(SocialAccount, request=request, socialaccount=each)
    messages.success(request, gettext("The provider is disconnected."))
    return redirect("mfa_index")


@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """django-allauth sends the browser here after connecting."""
    return redirect("mfa_index")


def _connected(*, request: Any, **_: Any) -> None:
    _record(second_factors.added, request)


def _disconnected(*, request: Any, **_: Any) -> None:
    _record(second_factors.removed, request)


def _record(verb: Callable[..., None], request: Any) -> None:
    verb(account=request.user, kind="provider", by=acting_staff(request), now=timezone.now())


social_account_added.connect(_connected, dispatch_uid="console.provider_connected")
social_account_removed.connect(_disconnected, dispatch_uid="console.provider_disconnected")
