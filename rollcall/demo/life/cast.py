"""Who plays: some users of Acme Chat's production environment."""

from dataclasses import dataclass

from applications.models import Environment
from moderation.models import AllowlistSwitch, Ban, BlocklistEntry
from rollcall.demo import sample_data
from users.models import AppUser

LISTENERS = 6


@dataclass(frozen=True)
class Cast:
    """User ids of production, and both environments. `talkers` talk with each other, `listeners`
    come and go, `banned` is refused, `blocked` is on the blocklist of `blocker`.
    """

    production: Environment
    development: Environment
    talkers: tuple[str, str]
    listeners: list[str]
    banned: str
    blocked: str
    blocker: str


def choose() -> Cast | None:
    """The same people at each start; None if this is not the sample data, or too much of it is
    gone.
    """
    acme = sample_data.acme()
    if acme is None:
        return None
    production = acme.environments.select_related("application").get(kind="production")
    here = {"environment": production}
    bans = Ban.objects.filter(**here)
    banned = bans.open().filter(expires_at=None).order_by("pk").values_list("user_id", flat=True)
    entry = BlocklistEntry.objects.filter(**here).order_by("pk").first()
    quiet = (
        AppUser.objects.filter(**here)
        .exclude(user_id__in=bans.values("user_id"))
        .exclude(user_id__in=BlocklistEntry.objects.filter(**here).values("owner_id"))
        .exclude(user_id__in=BlocklistEntry.objects.filter(**here).values("listed_id"))
        .exclude(user_id__in=AllowlistSwitch.objects.filter(**here).values("owner_id"))
        .order_by("pk")
        .values_list("user_id", flat=True)[: 2 + LISTENERS]
    )
    people, first_banned = list(quiet), banned.first()
    if len(people) < 2 + LISTENERS or entry is None or first_banned is None:
        return None
    return Cast(
        production=production,
        development=acme.environments.select_related("application").get(kind="development"),
        talkers=(people[0], people[1]),
        listeners=people[2:],
        banned=first_banned,
        blocked=entry.listed_id,
        blocker=entry.owner_id,
    )
