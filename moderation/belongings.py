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
    mine = {"environment": environment, "owner_id__in": user_ids}
    about_me = {"environment": environment, "user_id__in": user_ids}
    naming_me = {"environment": environment, "listed_id__in": user_ids}
    erased = {
        "blocklist entries": BlocklistEntry.objects.filter(**mine).delete()[0],
        "allowlist entries": AllowlistEntry.objects.filter(**mine).delete()[0],
        "allowlist switch": AllowlistSwitch.objects.filter(**mine).delete()[0],
    }
    if occasion is Occasion.DELETION:
        erased |= {
            "mutes": Mute.objects.filter(**about_me).delete()[0],
            "bans": Ban.objects.filter(**about_me).delete()[0],
            # Of others, who may be at their lists just now.
            "places in blocklists": len(
                BlocklistEntry.objects.filter(**naming_me).delete_in_order()
            ),
            "places in allowlists": len(
                AllowlistEntry.objects.filter(**naming_me).delete_in_order()
            ),
        }
    return erased
