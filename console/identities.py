"""What pages show beside a user id: the user's name, or why there is none.

Bans and lists name users by id, registered or not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import ngettext

from applications.models import Environment
from users.models import AppUser, DeactivatedUser


@dataclass(frozen=True)
class Identity:
    """An id with the name of its user. `state` is "", "deactivated" or "not_registered"."""

    user_id: str
    name: str
    state: str


def get_identities(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Identity]:
    """user_id → identity, for every id given. Two queries, however many ids."""
    wanted = set(user_ids)
    names = dict(
        AppUser.objects.filter(environment=environment, user_id__in=wanted).values_list(
            "user_id", "name"
        )
    )
    deactivated = set(
        DeactivatedUser.objects.filter(
            environment=environment, user_id__in=wanted - names.keys()
        ).values_list("user_id", flat=True)
    )

    def state(user_id: str) -> str:
        if user_id in names:
            return ""
        return "deactivated" if user_id in deactivated else "not_registered"

    return {
        user_id: Identity(user_id, names.get(user_id, ""), state(user_id)) for user_id in wanted
    }


def id_or_count(user_ids: Sequence[str]) -> str:
    """The id if there is one only, otherwise the number of users: "ada", "3 users"."""
    return (
        user_ids[0]
        if len(user_ids) == 1
        else ngettext("{count} user", "{count} users", len(user_ids)).format(count=len(user_ids))
    )
