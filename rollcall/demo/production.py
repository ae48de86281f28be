"""Acme Chat's production environment: about 2,500 users, and the work of moderators."""

from datetime import datetime, timedelta
from itertools import islice
from random import Random

from applications.environments import NewApplication
from applications.models import Environment
from moderation import ban_sweep, bans, lists
from moderation.models import Ban
from rollcall.demo.names import unique_names
from rollcall.demo.office import ADMIN, FORMER, MODERATOR
from rollcall.demo.timeline import Timeline, app_server, staff
from users import deactivation, tokens
from users.models import AppUser

USERS = 2_500
REASONS = [
    "Spam links in group chats",
    "Abusive language",
    "Harassment, ticket 4182",
    "Selling followers",
    "Impersonating support",
    "Scam, reported by three users",
    "Automated sign-ups",
    "",
]
HOUR, DAY = 60, 1_440
BAN_MINUTES = [HOUR, HOUR, 4 * HOUR, DAY, DAY, 3 * DAY, 7 * DAY, 7 * DAY, 30 * DAY, None]


def fill(timeline: Timeline, acme: NewApplication, random: Random) -> None:
    production = acme.environments["production"]
    users = _users(timeline, random)
    timeline.register(production, users)
    veterans = [user for user in users if user.registered_at < timeline.ago(days=46)]
    random.shuffle(veterans)
    rest = iter(veterans)
    _deactivate(timeline, production, [user.user_id for user in islice(rest, 9)])
    _ban_by_hand(timeline, production, list(islice(rest, 6)))
    _ban_many(timeline, production, list(islice(rest, 70)), random)
    _keep_lists(timeline, production, [user.user_id for user in rest], random)


def _users(timeline: Timeline, random: Random) -> list[AppUser]:
    """Users, each day a few more than the day before; one in eight has never connected."""
    users = []
    for user_id, name in islice(unique_names(random), USERS):
        registered_at = timeline.ago(days=68 * (1 - random.random() ** 0.7))
        activity = random.random()
        if activity < 0.125:
            last_seen_at = None
        else:
            silent = random.random() ** (6 if activity < 0.7 else 1)
            last_seen_at = timeline.now - silent * (timeline.now - registered_at)
        users.append(
            AppUser(
                user_id=user_id, name=name, registered_at=registered_at, last_seen_at=last_seen_at
            )
        )
    return users


def _deactivate(timeline: Timeline, production: Environment, ids: list[str]) -> None:
    """Erased users, one reactivated, one never registered, one not yet erased."""
    calls = ["nexconn user/deactivate", "rongcloud user/deactivate"]
    for place, user_id in enumerate([*ids[:-1], "guest-90417"]):
        when = timeline.ago(days=33 - 3.7 * place)
        timeline.add(
            when,
            deactivation.deactivate,
            environment=production,
            user_ids=[user_id],
            by=app_server(production, calls[place % 2]),
        )
        timeline.add(when + timedelta(seconds=4), deactivation.erase_pending)
    timeline.add(
        timeline.ago(days=11.5),
        deactivation.reactivate,
        environment=production,
        user_ids=[ids[4]],
        by=app_server(production, "nexconn user/reactivate"),
    )
    timeline.add(
        timeline.now,
        deactivation.deactivate,
        environment=production,
        user_ids=[ids[-1]],
        by=app_server(production, calls[0]),
    )


def _ban(
    timeline: Timeline,
    production: Environment,
    user: AppUser,
    *,
    when: datetime,
    until: datetime | None,
    reason: str,
    by: str,
) -> None:
    if user.last_seen_at and (until is None or until > timeline.now):
        user.last_seen_at = min(user.last_seen_at, when)
    timeline.add(
        when,
        bans.impose,
        environment=production,
        user_ids=[user.user_id],
        expires_at=until,
        reason=reason,
        by=staff(by) if by in {MODERATOR, FORMER, ADMIN} else app_server(production, by),
    )
    if until is not None:
        timeline.add(until + timedelta(seconds=3), ban_sweep.expire_due)


def _ban_by_hand(timeline: Timeline, production: Environment, users: list[AppUser]) -> None:
    """One of each kind that the Bans page can show."""
    ends_now, extended, shortened, forgiven, returned, for_good = users
    now = timeline.now
    _ban(
        timeline,
        production,
        ends_now,
        when=timeline.ago(minutes=58.5),
        until=now + timedelta(seconds=90),
        reason="Flooding the lobby; an hour to cool down",
        by=MODERATOR,
    )
    for user, first, second in ((extended, 1, 14), (shortened, 30, 5)):
        _ban(
            timeline,
            production,
            user,
            when=timeline.ago(days=0.8),
            until=now + timedelta(days=first),
            reason="Abusive language",
            by=MODERATOR,
        )
        timeline.add(
            timeline.ago(hours=6),
            _change,
            environment=production,
            user_id=user.user_id,
            expires_at=now + timedelta(days=second),
        )
    for user, again in ((forgiven, None), (returned, timeline.ago(days=1.1))):
        _ban(
            timeline,
            production,
            user,
            when=timeline.ago(days=9.2),
            until=now + timedelta(days=21),
            reason="Scam, reported by three users",
            by=MODERATOR,
        )
        timeline.add(
            timeline.ago(days=7.9),
            bans.lift,
            environment=production,
            user_ids=[user.user_id],
            by=staff(ADMIN),
        )
        if again:
            _ban(
                timeline,
                production,
                user,
                when=again,
                until=now + timedelta(days=60),
                reason="The same scam again",
                by=ADMIN,
            )
    _ban(
        timeline,
        production,
        for_good,
        when=timeline.ago(days=15.3),
        until=None,
        reason="Threats, reported to the police",
        by=ADMIN,
    )
    # Ids that are not registered: an app server bans ids that it knows from elsewhere.
    for number in (88210, 88211, 88397):
        _ban(
            timeline,
            production,
            AppUser(user_id=f"bot-{number}"),
            when=timeline.ago(days=3.3),
            until=now + timedelta(days=26.7),
            reason="",
            by="nexconn user/ban",
        )


def _change(*, environment: Environment, user_id: str, expires_at: datetime, now: datetime) -> None:
    ban = Ban.objects.open().get(environment=environment, user_id=user_id)
    bans.change(
        environment=environment,
        ban_id=ban.pk,
        expires_at=expires_at,
        reason=f"{ban.reason}; reviewed",
        by=staff(ADMIN),
        now=now,
    )


def _ban_many(
    timeline: Timeline, production: Environment, users: list[AppUser], random: Random
) -> None:
    """Bans of six ordinary weeks."""
    for user in users:
        minutes = random.choice(BAN_MINUTES)
        when = timeline.ago(days=random.uniform(0.1, 42) if minutes else random.uniform(0.1, 9))
        until = when + timedelta(minutes=minutes) if minutes else None
        if until and timeline.now < until < timeline.now + timedelta(minutes=30):
            until += timedelta(hours=1)  # only one ban ends soon after the start
        moderator = MODERATOR if when > timeline.ago(days=25) else FORMER
        _ban(
            timeline,
            production,
            user,
            when=when,
            until=until,
            reason=random.choice(REASONS),
            by=random.choice([moderator, moderator, "nexconn user/ban", "rongcloud user/block"]),
        )
        if random.random() < 0.15:
            timeline.add(
                when + timedelta(hours=random.uniform(0.2, 20)),
                bans.lift,
                environment=production,
                user_ids=[user.user_id],
                by=staff(moderator),
            )


def _keep_lists(
    timeline: Timeline, production: Environment, ids: list[str], random: Random
) -> None:
    for owner_id in ids[:40]:
        timeline.add(
            timeline.ago(days=random.uniform(0.2, 40)),
            lists.blocklist.add,
            environment=production,
            owner_id=owner_id,
            listed_ids=random.sample(ids[40:], random.randint(1, 12)),
            by=app_server(production, "nexconn blocklist/add"),
        )
    for place, owner_id in enumerate(ids[30:42]):
        added = timeline.ago(days=random.uniform(0.5, 30))
        timeline.add(
            added,
            lists.allowlist.add,
            environment=production,
            owner_id=owner_id,
            listed_ids=random.sample(ids[42:], random.randint(2, 9)),
            by=app_server(production, "nexconn allowlist/add"),
        )
        if place % 2:
            timeline.add(
                added + timedelta(minutes=1),
                lists.switch_allowlist,
                environment=production,
                owner_ids=[owner_id],
                on=True,
                by=app_server(production, "nexconn allowlist/switch"),
            )
    for user_id in random.sample(ids, 5):
        timeline.add(
            timeline.ago(days=random.uniform(0.2, 20)),
            tokens.sign_out_everywhere,
            environment=production,
            user_id=user_id,
            by=staff(MODERATOR),
        )
