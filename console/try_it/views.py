"""Try it: two test users side by side, each with a live connection. Development only.

The browser is the client: `static/try-it.js` connects to the gateway as any app does, and shows
the gateway's responses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from applications.access import Permission
from applications.lazy_texts import gettext_lazy
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import gateway_url, page_url
from console.templatetags.words import sentence
from console.try_it.web_clients import web_clients
from moderation import gates
from moderation.gates import ConnectRule, MessageRule, Verdict
from moderation.lists import blocklist
from moderation.models import Ban
from users import identity, presence, registration
from users.models import AppUser
from users.quota import QuotaExceeded

PANES = {"a": gettext_lazy("First user"), "b": gettext_lazy("Second user")}
# A test token need not be valid for long.
TOKEN_LIFETIME = timedelta(hours=1)
SUGGESTED = 20  # user ids suggested in the field
WHY_NOT_IN_PRODUCTION = gettext_lazy("Try it exists in development only")


@dataclass(frozen=True)
class Standing:
    """Whether one id may connect and may write to the other pane's id, its ban and connections."""

    connect: Verdict[ConnectRule]
    message: Verdict[ConnectRule | MessageRule] | None
    ban: Ban | None
    connections: int
    blocks_other: bool


@dataclass(frozen=True)
class Pane:
    """One side of the page. `standing` is None if `user_id` is not a valid id."""

    name: str
    label: str
    user_id: str
    other_id: str
    standing: Standing | None


@require_safe
@csp_update({"frame-src": [SELF]})  # web SDKs run in frames
@in_environment(Permission.VIEW)
def try_it(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The page, or for htmx only the standing of the user in the pane that requests it."""
    if not environment.is_development:
        back = page_url(environment, "environment:index")
        return responses.refused(request, WHY_NOT_IN_PRODUCTION, back=back)
    now = timezone.now()
    newest = _newest(environment)
    chosen = _chosen(request.GET, newest)
    context: dict[str, Any] = {}
    target = str(request.htmx.target)  # type: ignore[attr-defined]
    name = target.removeprefix("standing-")
    if name in PANES:
        context["pane"] = _pane(environment, name, chosen, now)
        response = render(request, "console/try_it/_state.html", context)
    else:
        context |= {
            "panes": [_pane(environment, name, chosen, now) for name in PANES],
            "suggested": newest,
            "gateway_url": gateway_url(request),
            "lifetime": TOKEN_LIFETIME,
            "web_clients": web_clients(),
        }
        response = render(request, "console/try_it/index.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _newest(environment: Environment) -> list[str]:
    users = AppUser.objects.in_environment(environment).order_by("-registered_at", "-pk")
    return list(users.values_list("user_id", flat=True)[:SUGGESTED])


def _chosen(query: Mapping[str, str], newest: list[str]) -> dict[str, str]:
    """The user id of each pane: from the URL, or the newest users, or sample ids."""
    named = {name: query.get(name, "").strip() for name in PANES}
    samples = [f"{registration.SAMPLE_PREFIX}{number:02}" for number in (1, 2)]
    free = iter([each for each in [*newest, *samples] if each not in named.values()])
    return {name: named[name] if name in query else next(free) for name in PANES}


def _pane(environment: Environment, name: str, chosen: Mapping[str, str], now: datetime) -> Pane:
    user_id = chosen[name]
    other_id = next(chosen[other] for other in PANES if other != name)
    valid = _is_user_id(user_id)
    standing = _standing(environment, user_id, other_id, now) if valid else None
    return Pane(name, PANES[name], user_id, other_id, standing)


def _standing(environment: Environment, user_id: str, other_id: str, now: datetime) -> Standing:
    here: dict[str, Any] = {"environment": environment, "user_id": user_id, "now": now}
    connect = gates.may_connect(**here)
    message, blocks_other = None, False
    if _is_user_id(other_id) and other_id != user_id:
        message = gates.may_message(
            environment=environment, sender_id=user_id, recipient_id=other_id, now=now
        )
        blocks_other = blocklist.contains(
            environment=environment, owner_id=user_id, listed_id=other_id
        )
    return Standing(
        connect=connect,
        message=message,
        ban=Ban.objects.in_force(now).filter(environment=environment, user_id=user_id).first(),
        connections=len(presence.connections(**here)),
        blocks_other=blocks_other,
    )


def _is_user_id(text: str) -> bool:
    try:
        identity.check_user_id(text)
    except identity.InvalidUserId:
        return False
    return True


@require_POST
@in_environment(Permission.MANAGE_USERS)
def try_it_token(request: MemberRequest, environment: Environment) -> HttpResponse:
    """An access token for the client on the page, as JSON for its script."""
    try:
        issued = registration.issue_to_staff(
            environment=environment,
            user_id=request.POST.get("user_id", "").strip(),
            lifetime=TOKEN_LIFETIME,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except registration.NotInProduction:
        back = page_url(environment, "environment:index")
        return responses.refused(request, WHY_NOT_IN_PRODUCTION, back=back)
    except registration.UserDeactivated:
        why = gettext("This id is deactivated. Your app server must reactivate it first.")
    except (identity.InvalidUserId, QuotaExceeded) as error:
        why = sentence(error)
    else:
        return JsonResponse({"token": issued.token, "created": issued.created})
    return JsonResponse({"error": why}, status=422)
