"""A user's bans and lists: a fragment that the user's page loads, and a page without JavaScript."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.counting import count
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.bans.views import ban_rows
from console.identities import get_identities
from console.links import page_url
from console.lists.views import KINDS
from console.mutes.views import LABELS
from console.templatetags.words import said
from moderation import lists, mutes
from moderation.models import Ban

# At most this many bans and entries of each list are shown, with a link to all.
SHOWN = 10


@require_safe
@in_environment(Permission.VIEW)
def user_moderation(request: MemberRequest, environment: Environment, user_id: str) -> HttpResponse:
    now = timezone.now()
    context = {
        "user_id": user_id,
        "lists": _lists(environment, user_id),
        "most": lists.MAX_ENTRIES,
        "allowlist_on": bool(lists.allowlists_on(environment=environment, owner_ids=[user_id])),
        "mutes": _mutes(environment, user_id, now),
        **_bans(environment, user_id, now),
    }
    return responses.shown(
        request,
        "console/users/moderation.html",
        context,
        fragment="console/users/_moderation.html",
    )


def _bans(environment: Environment, user_id: str, now: datetime) -> dict[str, Any]:
    """The ban in force, and the ledger, newest first. The ban in force is always the newest row."""
    ledger = Ban.objects.filter(environment=environment, user_id=user_id).order_by("-pk")
    rows = ban_rows(environment, list(ledger[: SHOWN + 1]), now)
    return {
        "current": rows[0] if rows and rows[0].state == "in_force" else None,
        "ledger": rows[:SHOWN],
        "ledger_url": page_url(environment, "bans:index", query={"tab": "all", "user": user_id})
        if len(rows) > SHOWN
        else "",
    }


def _mutes(environment: Environment, user_id: str, now: datetime) -> list[dict[str, Any]]:
    """The mutes in force, with the URL that lifts each."""
    found = mutes.by_channel(environment=environment, user_id=user_id, now=now)
    return [
        {
            "label": LABELS[channel],
            "mute": found[channel],
            "lift_url": page_url(environment, "mutes:lift", query={"channel": channel.value}),
        }
        for channel in LABELS
        if channel in found
    ]


def _lists(environment: Environment, user_id: str) -> list[dict[str, Any]]:
    """The user's own lists, and the lists of others that contain the user. All ids are looked up
    in one batch.
    """
    found = [
        _summary(environment, kind, side, user_id) for kind in KINDS for side in ("owner", "listed")
    ]
    shown = {name for summary in found for name in summary["user_ids"]}
    identities = get_identities(environment=environment, user_ids=shown)
    for summary in found:
        summary["users"] = [identities[name] for name in summary["user_ids"]]
    return found


def _summary(environment: Environment, kind: str, side: str, user_id: str) -> dict[str, Any]:
    entries = KINDS[kind].model.objects
    own = side == "owner"
    rows = entries.of(environment, user_id) if own else entries.naming(environment, user_id)
    other = "listed_id" if own else "owner_id"
    return {
        "label": said(kind).capitalize()
        if own
        else gettext("On the {kind} of").format(kind=said(kind)),
        "own": own,
        "count": count(rows),
        "user_ids": list(rows.order_by("-pk").values_list(other, flat=True)[:SHOWN]),
        "url": page_url(environment, "lists:index", query={"list": kind, side: user_id}),
    }
