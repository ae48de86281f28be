"""The users who take the places of a quota, grouped by registration, last seen and id prefix.

For one environment with a limit, so all its users fit into one list.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from applications.models import FREE_USER_LIMIT, Environment
from users.models import AppUser

# (word in the URL, label, maximum age); the last group has no maximum.
_AGES = (
    ("day", "Under a day ago", timedelta(days=1)),
    ("week", "1 to 7 days", timedelta(days=7)),
    ("month", "7 to 30 days", timedelta(days=30)),
    ("quarter", "30 to 90 days", timedelta(days=90)),
    ("longer", "Over 90 days", timedelta.max),
)
NEVER = "never"
# The text up to the first separator or number: "ci-" of "ci-0421", "qa" of "qa17", "e2e-" of
# "e2e-4".
_PREFIX = re.compile(r"[A-Za-z]+(?=\d+(?![A-Za-z\d]))|[A-Za-z\d]+[-._+=]")
SHOWN_PREFIXES = 6


@dataclass(frozen=True)
class Place:
    user: AppUser
    registered: str  # words of `_AGES`
    seen: str  # the same, or `NEVER`


@dataclass(frozen=True)
class Group:
    """Some of the places; `word` is the filter in the URL."""

    word: str
    label: str
    count: int


def taken(*, environment: Environment, now: datetime, prefix: str = "") -> list[Place]:
    """The registered users, oldest first; only those whose ids begin with `prefix` if it is given.
    At most twice the limit.
    """
    users = AppUser.objects.in_environment(environment)
    if prefix:
        users = users.with_prefix(prefix)
    # After a downgrade there may be millions, and no page needs them all.
    return [
        Place(user, _age(user.registered_at, now), _age(user.last_seen_at, now))
        for user in users.order_by("registered_at", "pk")[: 2 * FREE_USER_LIMIT]
    ]


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return NEVER
    return next(word for word, _, longest in _AGES if now - moment <= longest)


def by_registration(found: Sequence[Place]) -> list[Group]:
    return _grouped(found, lambda place: place.registered, [])


def by_last_seen(found: Sequence[Place]) -> list[Group]:
    return _grouped(found, lambda place: place.seen, [(NEVER, "Never connected")])


def _grouped(
    found: Sequence[Place], word_of: Callable[[Place], str], more: list[tuple[str, str]]
) -> list[Group]:
    words = [word_of(place) for place in found]
    labels = [(word, label) for word, label, _ in _AGES] + more
    return [Group(word, label, words.count(word)) for word, label in labels]


def by_prefix(user_ids: Iterable[str]) -> list[Group]:
    """The prefixes that several ids share, most common first."""
    ids = list(user_ids)
    prefixes = {match[0] for user_id in ids if (match := _PREFIX.match(user_id))}
    groups = [
        Group(prefix, f"{prefix}…", sum(user_id.startswith(prefix) for user_id in ids))
        for prefix in prefixes
    ]
    shared = [group for group in groups if group.count > 1]
    return sorted(shared, key=lambda group: (-group.count, group.word))[:SHOWN_PREFIXES]
