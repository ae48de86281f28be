"""Erases what this app stores about users who are deleted or deactivated, and puts it back if a
deletion is undone.
"""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from applications.audit import Actor
from applications.models import Environment
from moderation.lists import MAX_ENTRIES
from moderation.models import (
    AllowlistEntry,
    AllowlistSwitch,
    Ban,
    BlocklistEntry,
    Mute,
)
from users.erasure import Counts, Occasion, delete_rows, erasing
from users.kept import Kept, put_back
from users.undo import restoring


@receiver(erasing, dispatch_uid="moderation.erasure")
def erase(
    *,
    environment: Environment,
    user_ids: list[str],
    occasion: Occasion,
    kept: Kept | None = None,
    **_: Any,
) -> Counts:
    """Deletion erases everything that names the users. Deactivation erases only their own lists:
    bans, mutes and entries in other users' lists protect others, and stay.
    """
    here = {"environment": environment}
    owned, about, listed = (
        Q(**{f"{column}__in": user_ids}) for column in ("owner_id", "user_id", "listed_id")
    )

    def delete(rows: Any, column: str) -> Any:
        return delete_rows(rows, user_ids, column, kept=kept)

    erased = {
        "blocklist entries": delete(BlocklistEntry.objects.filter(owned, **here), "owner_id"),
        "allowlist entries": delete(AllowlistEntry.objects.filter(owned, **here), "owner_id"),
        "allowlist switch": delete(AllowlistSwitch.objects.filter(owned, **here), "owner_id"),
    }
    if occasion is Occasion.DELETION:
        erased |= {
            "mutes": delete(Mute.objects.filter(about, **here), "user_id"),
            "bans": delete(Ban.objects.filter(about, **here), "user_id"),
            "places in blocklists": delete(
                BlocklistEntry.objects.filter(listed, **here), "listed_id"
            ),
            "places in allowlists": delete(
                AllowlistEntry.objects.filter(listed, **here), "listed_id"
            ),
        }
    return erased


@receiver(restoring, dispatch_uid="moderation.restoring")
def restore(
    *,
    environment: Environment,
    rows: dict[str, list[dict[str, Any]]],
    by: Actor,
    now: datetime,
    **_: Any,
) -> None:
    """A ban that was imposed since the deletion stays in force, and the former one becomes part of
    the history.
    """
    bans = rows.get(Ban._meta.label, [])
    again = set(
        Ban.objects.open()
        .filter(environment=environment, user_id__in=[ban["user_id"] for ban in bans])
        .values_list("user_id", flat=True)
    )
    closed = {
        "closed_at": now.isoformat(),
        "closed_by": by.name,
        "closed_via": by.via,
        "outcome": Ban.Outcome.REPLACED,
    }
    put_back(
        Ban,
        (
            ban | closed if ban["closed_at"] is None and ban["user_id"] in again else ban
            for ban in bans
        ),
    )
    for entries in (BlocklistEntry, AllowlistEntry):
        put_back(entries, rows.get(entries._meta.label, []), most=MAX_ENTRIES)
    for model in (AllowlistSwitch, Mute):
        put_back(model, rows.get(model._meta.label, []))
