"""Bans by staff that need a reason, and how many users a ban affects.

Invariant: in production, staff must give a reason for a permanent ban and for a ban of several
users. API calls cannot carry a reason, so they need none; neither does the system.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext

from applications.audit import Actor
from applications.models import AuditEvent, Environment
from moderation.models import Ban
from users import presence
from users.models import AppUser, Place


class ReasonNeeded(Exception):
    def __init__(self) -> None:
        super().__init__(
            gettext("In production, a permanent ban and a ban of several users need a reason.")
        )


def are_high(
    *, environment: Environment, user_ids: Collection[str], expires_at: datetime | None
) -> bool:
    """Whether this ban is in production, and permanent or of several users."""
    return not environment.is_development and (expires_at is None or len(set(user_ids)) > 1)


def require_reason(
    environment: Environment,
    reasons: Mapping[str, str],
    *,
    expires_at: datetime | None,
    by: Actor,
) -> None:
    """`reasons` is by user id. Raises `ReasonNeeded` if a reason that is needed is missing."""
    if by.kind != AuditEvent.ActorKind.STAFF or all(text.strip() for text in reasons.values()):
        return
    if are_high(environment=environment, user_ids=reasons.keys(), expires_at=expires_at):
        raise ReasonNeeded


@dataclass(frozen=True)
class Reach:
    """How many ids there are, and of how many of them it is true. Pins and leases exist in
    development.
    """

    users: int
    registered: int
    connected: int
    banned: int
    pinned: int = 0
    leased: int = 0


def reach(*, environment: Environment, user_ids: Collection[str], now: datetime) -> Reach:
    """Three queries, however many ids; in development four."""
    wanted = list(set(user_ids))
    here = {"environment": environment, "user_id__in": wanted}
    kept = {}
    if environment.is_development:
        kept = Place.objects.filter(
            user__environment=environment, user__user_id__in=wanted
        ).aggregate(pinned=Count("pinned_at"), leased=Count("lease_until"))
    return Reach(
        users=len(wanted),
        registered=AppUser.objects.filter(**here).count(),
        connected=len(presence.online(environment=environment, user_ids=wanted, now=now)),
        banned=Ban.objects.in_force(now).filter(**here).count(),
        **kept,
    )
