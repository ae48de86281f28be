"""The places of a quota: who took them, and who holds them, grouped by registration, last seen,
maker and id prefix.

For one environment with a limit, so all its users fit into one list.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext

from applications.audit import Actor
from applications.lazy_texts import gettext_lazy
from applications.models import FREE_USER_LIMIT, Environment
from users import lease_rules
from users.models import AppUser, Place

# (word in the URL, label, maximum age); the last group has no maximum.
_AGES = (
    ("day", gettext_lazy("Under a day ago"), timedelta(days=1)),
    ("week", gettext_lazy("1 to 7 days"), timedelta(days=7)),
    ("month", gettext_lazy("7 to 30 days"), timedelta(days=30)),
    ("quarter", gettext_lazy("30 to 90 days"), timedelta(days=90)),
    ("longer", gettext_lazy("Over 90 days"), timedelta.max),
)
NEVER = "never"
UNKNOWN = "-"  # the word for who took a place, if that was not recorded
_KEPT = (
    ("pinned", gettext_lazy("Pinned")),
    ("leased", gettext_lazy("With a lease")),
    ("open", gettext_lazy("Neither")),
)
# The text up to the first separator or number: "ci-" of "ci-0421", "qa" of "qa17", "e2e-" of
# "e2e-4".
_PREFIX = re.compile(r"[A-Za-z]+(?=\d+(?![A-Za-z\d]))|[A-Za-z\d]+[-._+=]")
SHOWN_PREFIXES = 6


@dataclass(frozen=True)
class Held:
    """A place that is held; `place` is None if nothing is known of it."""

    user: AppUser
    place: Place | None
    registered: str  # words of `_AGES`
    seen: str  # the same, or `NEVER`

    @property
    def maker(self) -> str:
        """Who took the place, or `UNKNOWN`."""
        return (self.place and self.place.taken_by) or UNKNOWN

    @property
    def kept(self) -> str:
        """A word of `_KEPT`: how long the user stays. A pin suspends a lease."""
        if self.place is None or not (self.place.pinned_at or self.place.lease_until):
            return "open"
        return "pinned" if self.place.pinned_at else "leased"


@dataclass(frozen=True)
class Group:
    """Some of the places; `word` is the filter in the URL."""

    word: str
    label: str
    count: int


def take(
    environment: Environment,
    lives: Mapping[str, int],
    *,
    by: Actor | None,
    lease: timedelta | None,
    now: datetime,
) -> None:
    """Remember who took these places, with the lease that was asked for or that the rules give.
    `lives` is user_id → primary key of the new users. In the transaction that registers them, and
    only in an environment with a limit: elsewhere nobody asks.
    """
    if not lives:
        return
    spans: Mapping[str, timedelta] = {}
    if lease is not None:
        spans = dict.fromkeys(lives, lease)
    elif environment.is_development:
        spans = lease_rules.spans(environment, lives)
    Place.objects.bulk_create(
        Place(
            user_id=life,
            taken_by=by.name if by else "",
            taken_via=by.via if by else "",
            lease_until=now + spans[user_id] if user_id in spans else None,
        )
        for user_id, life in lives.items()
    )


def taken(*, environment: Environment, now: datetime, prefix: str = "") -> list[Held]:
    """The registered users, oldest first; only those whose ids begin with `prefix` if it is given.
    At most twice the limit.
    """
    users = AppUser.objects.in_environment(environment)
    if prefix:
        users = users.with_prefix(prefix)
    # After a downgrade there may be millions, and no page needs them all.
    return [
        Held(
            user,
            getattr(user, "place", None),
            _age(user.registered_at, now),
            _age(user.last_seen_at, now),
        )
        for user in users.select_related("place").order_by("registered_at", "pk")[
            : 2 * FREE_USER_LIMIT
        ]
    ]


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return NEVER
    return next(word for word, _, longest in _AGES if now - moment <= longest)


def by_registration(found: Sequence[Held]) -> list[Group]:
    return _grouped(found, lambda place: place.registered, [])


def by_last_seen(found: Sequence[Held]) -> list[Group]:
    return _grouped(found, lambda place: place.seen, [(NEVER, gettext("Never connected"))])


def by_maker(found: Sequence[Held]) -> list[Group]:
    """Who took the places, most first."""
    makers = Counter(held.maker for held in found)
    ordered = sorted(makers.items(), key=lambda entry: (-entry[1], entry[0]))
    return [
        Group(maker, gettext("Not recorded") if maker == UNKNOWN else maker, number)
        for maker, number in ordered
    ]


def by_keeping(found: Sequence[Held]) -> list[Group]:
    words = [held.kept for held in found]
    return [Group(word, label, words.count(word)) for word, label in _KEPT]


def _grouped(
    found: Sequence[Held], word_of: Callable[[Held], str], more: list[tuple[str, str]]
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
