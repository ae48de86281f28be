"""What this storey erases when a user goes; wired in `moderation.apps`."""

from typing import Any

from applications.models import Environment
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry, Mute
from users.erasure import Occasion


def erase(
    *, environment: Environment, user_ids: list[str], occasion: Occasion, **_: Any
) -> dict[str, int]:
    """Deletion takes everything that names the users. Deactivation takes what is their own: their
    bans, and their places in other people's lists, were made to hold them off, and stay.
    """
    owned = {
        "blocklist entries": BlocklistEntry.objects.filter(
            environment=environment, owner_id__in=user_ids
        ),
        "allowlist entries": AllowlistEntry.objects.filter(
            environment=environment, owner_id__in=user_ids
        ),
        "allowlist switch": AllowlistSwitch.objects.filter(
            environment=environment, owner_id__in=user_ids
        ),
    }
    naming = {
        "mutes": Mute.objects.filter(environment=environment, user_id__in=user_ids),
        "bans": Ban.objects.filter(environment=environment, user_id__in=user_ids),
        "places in blocklists": BlocklistEntry.objects.filter(
            environment=environment, listed_id__in=user_ids
        ),
        "places in allowlists": AllowlistEntry.objects.filter(
            environment=environment, listed_id__in=user_ids
        ),
    }
    doomed = owned | naming if occasion is Occasion.DELETION else owned
    return {word: rows.delete()[0] for word, rows in doomed.items()}
