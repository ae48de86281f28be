"""Why the quota is as full as it is: what counts, how it filled, and what a refused app server
gets.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext

from applications.counting import Count as Bounded
from applications.counting import count
from applications.models import Environment
from applications.vendors import vendors
from moderation.models import Ban
from users import presence, quota
from users.models import AppUser, DeactivatedUser
from users.quota import QuotaExceeded, Usage
from users.registration import SAMPLE_PREFIX

DAYS = 30


@dataclass(frozen=True)
class Shown:
    """A vendor's refusal, as an app server gets it."""

    title: str
    status: int
    body: str


def explained(environment: Environment, usage: Usage, now: datetime) -> dict[str, Any]:
    """For one environment with a limit; six queries, and those of a plan."""
    assert usage.limit is not None  # noqa: S101  # the caller asks for no other
    return {
        "history": quota.history(
            environment=environment, now=now, days=DAYS, used=usage.users.value
        ),
        "counted": _counted(environment, now),
        "not_counted": _not_counted(environment, now),
        "refusals": _refusals(environment, usage, usage.limit),
    }


def _counted(environment: Environment, now: datetime) -> list[tuple[str, int | Bounded]]:
    """Groups of registered users, who all take a place."""
    here = AppUser.objects.in_environment(environment)
    banned = Ban.objects.in_force(now).filter(
        environment=OuterRef("environment"), user_id=OuterRef("user_id")
    )
    numbers = here.aggregate(
        never=Count("pk", filter=Q(last_seen_at=None)),
        samples=Count("pk", filter=Q(user_id__startswith=SAMPLE_PREFIX)),
        leased=Count("pk", filter=Q(place__lease_until__isnull=False)),
        pinned=Count("pk", filter=Q(place__pinned_at__isnull=False)),
        banned=Count("pk", filter=Exists(banned)),
    )
    return _without_zeros(
        (gettext("online now"), presence.online_count(environment=environment, now=now)),
        (gettext("never connected"), numbers["never"]),
        (gettext("sample users"), numbers["samples"]),
        ("banned", numbers["banned"]),
        (gettext("with a lease"), numbers["leased"]),
        ("pinned", numbers["pinned"]),
    )


def _not_counted(environment: Environment, now: datetime) -> list[tuple[str, int | Bounded]]:
    registered = AppUser.objects.filter(
        environment=OuterRef("environment"), user_id=OuterRef("user_id")
    )
    bans = Ban.objects.in_force(now).filter(~Exists(registered), environment=environment)
    return _without_zeros(
        (
            gettext("deactivated ids"),
            count(DeactivatedUser.objects.filter(environment=environment)),
        ),
        (gettext("banned ids that are not registered"), count(bans)),
    )


def _without_zeros(*lines: tuple[str, int | Bounded]) -> list[tuple[str, int | Bounded]]:
    return [
        (label, number)
        for label, number in lines
        if (number.value if isinstance(number, Bounded) else number)
    ]


def _refusals(environment: Environment, usage: Usage, limit: int) -> list[Shown]:
    error = QuotaExceeded(
        limit=limit,
        used=usage.users,
        is_development=environment.is_development,
        environment=environment,
    )
    shown = []
    for vendor in vendors():
        refusal = vendor.shown_refusal(error)
        if refusal and vendor.name in environment.application.vendors:
            status, body = refusal
            text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
            shown.append(Shown(vendor.title, status, text))
    return shown
