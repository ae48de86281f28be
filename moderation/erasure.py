"""Erases what this app stores about users who are deleted or deactivated."""

from typing import Any

from django.db.models import Q
from django.dispatch import receiver

from applications.models import Environment
from moderation.models import (
    AllowlistEntry,
    AllowlistSwitch,
    Ban,
    BlocklistEntry,
    Mute,
)
from users.erasure import Counts, Occasion, delete_rows, erasing


@receiver(erasing, dispatch_uid="moderation.erasure")
def erase(*, environment: Environment, user_ids: list[str], occasion: Occasion, **_: Any) -> Counts:
    """Deletion erases everything that names the users. Deactivation erases only their own lists:
    bans, mutes and entries in other users' lists protect others, and stay.
    """
    here = {"environment": environment}
    owned, about, listed = (
        Q(**{f"{column}__in": user_ids}) for column in ("owner_id", "user_id", "listed_id")
    )

    def delete(rows: Any, column: str) -> Any:
        return delete_rows(rows, user_ids, column)

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
