"""How ids stand in their environment: what the pages of this storey show beside an id.

Bans and lists name users by id, registered or not; a page asks once for all the ids it shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from applications.models import Environment
from users.models import AppUser, DeactivatedUser


@dataclass(frozen=True)
class Standing:
    """An id with the name of its user. `state` is "", "deactivated" or "not_registered"."""

    user_id: str
    name: str
    state: str


def standing_of(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Standing]:
    """For each id, how it stands: two queries, however many ids."""
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
        user_id: Standing(user_id, names.get(user_id, ""), state(user_id)) for user_id in wanted
    }


def named(user_ids: Sequence[str]) -> str:
    """The one it is about, or how many."""
    return user_ids[0] if len(user_ids) == 1 else f"{len(user_ids)} users"
