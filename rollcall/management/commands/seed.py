"""Fill an environment with made-up users, to test at scale."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from applications import in_threads
from applications.audit import Actor
from applications.models import AuditEvent, Environment
from moderation import bans, lists
from moderation.decisions import Terms
from moderation.models import Ban, BlocklistEntry
from rollcall.demo.names import random_name
from users import bulk_registration, identity
from users.admission import Newcomer
from users.models import AppUser, RegistrationTally
from users.quota import QuotaExceeded

PAST = timedelta(days=90)
BY = Actor.system("manage.py seed")
GROUP = 100  # bans imposed together, entries of one blocklist
BAR = 40  # characters
FILLED = (AppUser, RegistrationTally, Ban, BlocklistEntry, AuditEvent)


class Command(BaseCommand):
    help = (
        "Register made-up users in an environment, spread over the past 90 days. Users that exist "
        "stay as they are, so you can repeat an interrupted run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--app-key", required=True, help="app key of the environment")
        parser.add_argument("--users", type=int, required=True, help="number of users")
        parser.add_argument("--prefix", default="seed-", help="prefix of their ids")
        parser.add_argument("--bans", type=int, default=0, help="number of users to ban")
        parser.add_argument("--blocked", type=int, default=0, help="number of blocklist entries")

    def handle(
        self, *, app_key: str, users: int, prefix: str, bans: int, blocked: int, **_options: Any
    ) -> None:
        environment = Environment.objects.filter(app_key=app_key).first()
        if environment is None:
            raise CommandError(f"No environment has the app key {app_key}")
        if users < 1:
            raise CommandError("--users must be at least 1")
        if not 0 <= bans <= users:
            raise CommandError("--bans must be between 0 and --users")
        if not 0 <= blocked <= users * min(GROUP, users - 1):
            raise CommandError(f"--blocked must be between 0 and {GROUP} for each user")
        ids = [f"{prefix}{number:07}" for number in range(1, users + 1)]
        try:
            identity.check_user_id(ids[-1])
        except identity.InvalidUserId as error:
            raise CommandError(f"--prefix: {error}") from error
        now = timezone.now()
        random = Random(users)  # noqa: S311 - made-up people, no secret
        self.register(environment, ids, random, now)
        self.ban(environment, ids[:: users // bans][:bans] if bans else [], random, now)
        self.block(environment, ids, blocked, now)
        self.analyze()

    def analyze(self) -> None:
        """Plans that were made for empty tables are made anew."""
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(each._meta.db_table for each in FILLED)}")

    def register(
        self, environment: Environment, ids: list[str], random: Random, now: datetime
    ) -> None:
        newcomers = (
            _newcomer(user_id, now - PAST * (1 - place / len(ids)), random, now)
            for place, user_id in enumerate(ids)
        )
        done = registered = 0
        try:
            for given, new in bulk_registration.register_many(
                environment=environment, newcomers=newcomers, now=now
            ):
                if not done:
                    self.analyze()  # or each further batch would read all the earlier ones
                done, registered = done + given, registered + new
                self.show_progress("users", done, len(ids))
        except QuotaExceeded as error:
            raise CommandError(f"{error} This run has registered {registered:,}.") from error
        self.stdout.write(f"{registered:,} of {len(ids):,} users were new")

    def ban(self, environment: Environment, ids: list[str], random: Random, now: datetime) -> None:
        """Ban each of them for up to thirty days, one in ten permanently."""
        terms = [(user_id, Terms(_end(random, now), "Seeded")) for user_id in ids]
        groups = (dict(terms[start : start + GROUP]) for start in range(0, len(terms), GROUP))

        def impose(group: dict[str, Terms]) -> int:
            return len(bans.impose_each(environment=environment, terms=group, by=BY, now=now))

        done = 0
        for number in in_threads.results(impose, groups):
            if not done:
                self.analyze()
            done += number
            self.show_progress("bans", done, len(ids))

    def block(self, environment: Environment, ids: list[str], count: int, now: datetime) -> None:
        """Each owner's list names those who come next."""
        everyone = ids + ids
        for start in range(0, count, GROUP):
            owner = start // GROUP % len(ids)
            lists.blocklist.add(
                environment=environment,
                owner_id=ids[owner],
                listed_ids=everyone[owner + 1 : owner + 1 + min(GROUP, count - start)],
                by=BY,
                now=now,
            )
            self.show_progress("blocklist entries", min(start + GROUP, count), count)

    def show_progress(self, what: str, done: int, total: int) -> None:
        """Draw a bar on stderr if it is a terminal."""
        if self.stderr.isatty():
            bar = "#" * (BAR * done // total)
            line = f"\r[{bar:<{BAR}}] {done:,} of {total:,} {what}"
            self.stderr.write(line, str, ending="\n" if done == total else "")


def _end(random: Random, now: datetime) -> datetime | None:
    minutes = random.randint(60, 43_200)
    return None if random.random() < 0.1 else now + timedelta(minutes=minutes)


def _newcomer(user_id: str, registered_at: datetime, random: Random, now: datetime) -> Newcomer:
    """A made-up user. One in seven has never connected; most others were seen recently."""
    silent = random.random() ** 5
    return Newcomer(
        user_id,
        registered_at,
        name=random_name(random)[1],
        last_seen_at=now - silent * (now - registered_at) if random.random() > 1 / 7 else None,
    )
