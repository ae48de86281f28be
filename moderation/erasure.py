"""What this storey keeps about users, and erases when they go."""

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
    """Deletion takes everything that names the users. Deactivation takes what is their own: their
    bans, and their places in other people's lists, were made to hold them off, and stay.
    """
    here = {"environment": environment}
    owned, about, named = (
        Q(**{f"{column}__in": user_ids}) for column in ("owner_id", "user_id", "listed_id")
    )

    def gone(rows: Any, column: str) -> Any:
        return delete_rows(rows, user_ids, column)

    erased = {
        "blocklist entries": gone(BlocklistEntry.objects.filter(owned, **here), "owner_id"),
        "allowlist entries": gone(AllowlistEntry.objects.filter(owned, **here), "owner_id"),
        "allowlist switch": gone(AllowlistSwitch.objects.filter(owned, **here), "owner_id"),
    }
    if occasion is Occasion.DELETION:
        erased |= {
            "mutes": gone(Mute.objects.filter(about, **here), "user_id"),
            "bans": gone(Ban.objects.filter(about, **here), "user_id"),
            "places in blocklists": gone(BlocklistEntry.objects.filter(named, **here), "listed_id"),
            "places in allowlists": gone(AllowlistEntry.objects.filter(named, **here), "listed_id"),
        }
    return erased
