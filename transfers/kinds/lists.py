"""Blocklists, allowlists and friends."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from applications.access import Permission
from applications.audit import Actor
from applications.models import Environment
from moderation import lists
from transfers.kinds.base import (
    DONE,
    EXISTS,
    READY,
    USER_ID,
    Column,
    Kind,
    Result,
    Verdict,
    Verdicts,
    Wrong,
    user_id,
)
from transfers.models import ImportRow
from users import friends, identity
from users.models import AppUser, Friendship


def _switch(text: str) -> str:
    if text.lower() not in {"yes", "no"}:
        raise Wrong("Neither yes nor no")
    return text.lower()


def _alias(text: str) -> str:
    if not identity.is_text(text, friends.ALIAS_MAX_LENGTH):
        raise Wrong(f"At most {friends.ALIAS_MAX_LENGTH} printable characters")
    return text


class Listed(Kind):
    """A blocklist or an allowlist."""

    permission = Permission.MODERATE
    key = ("owner_id", "listed_id")

    def __init__(self, name: str):
        self.name, self.title = name, f"{name.capitalize()}s"
        self.list = {"blocklist": lists.blocklist, "allowlist": lists.allowlist}[name]
        self.columns = (
            Column("owner_id", user_id, "Whose list it is", True),
            Column("listed_id", user_id, "Who is on it", True),
        )
        if name == "allowlist":
            help = "yes: switch the owner's allowlist on"
            self.columns += (Column("switched_on", _switch, help),)

    def objection(self, values: Mapping[str, str]) -> str:
        oneself = values["owner_id"] == values["listed_id"]
        return "listed_id: a user cannot be on their own list" if oneself else ""

    def _wants_switch(self, row: ImportRow) -> bool:
        return bool(row.values.get("switched_on") == "yes")

    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        owners = {row.values["owner_id"] for row in rows}
        listed = set(
            self.list.model.objects.filter(
                environment=environment,
                owner_id__in=owners,
                listed_id__in={row.values["listed_id"] for row in rows},
            ).values_list("owner_id", "listed_id")
        )
        on = lists.allowlists_on(environment=environment, owner_ids=owners)
        return {
            row.pk: EXISTS
            if (row.values["owner_id"], row.values["listed_id"]) in listed
            and (not self._wants_switch(row) or row.values["owner_id"] in on)
            else READY
            for row in rows
        }

    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        by_owner: dict[str, list[ImportRow]] = defaultdict(list)
        for row in rows:
            by_owner[row.values["owner_id"]].append(row)
        identity.lock(environment, by_owner)
        found: Verdicts = {}
        for owner_id, theirs in by_owner.items():
            verdict = DONE
            try:
                self.list.add(
                    environment=environment,
                    owner_id=owner_id,
                    listed_ids=[row.values["listed_id"] for row in theirs],
                    by=by,
                    now=now,
                )
            except lists.ListFull as error:
                verdict = Verdict(Result.REFUSED, f"owner_id: {error}")
            found |= {row.pk: verdict for row in theirs}
        wanted = {row.values["owner_id"] for row in rows if self._wants_switch(row)}
        if wanted:
            lists.switch_allowlist(
                environment=environment, owner_ids=wanted, on=True, by=by, now=now
            )
        return found


class Friends(Kind):
    """Friendships as they were: nobody is asked."""

    name, title, permission = "friends", "Friends", Permission.MANAGE_USERS
    columns = (
        USER_ID,
        Column("friend_id", user_id, "Both must be registered", True),
        Column(
            "alias",
            _alias,
            f"What the user calls the friend; at most {friends.ALIAS_MAX_LENGTH} characters",
        ),
    )
    key = ("user_id", "friend_id")
    batch = 200

    def objection(self, values: Mapping[str, str]) -> str:
        oneself = values["user_id"] == values["friend_id"]
        return "friend_id: a user cannot be their own friend" if oneself else ""

    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        pairs = Q(pk__in=[])
        for row in rows:
            pairs |= Q(owner_id=row.values["user_id"], friend_id=row.values["friend_id"])
        sides = Friendship.objects.filter(pairs, environment=environment)
        aliases = {
            (owner_id, friend_id): alias
            for owner_id, friend_id, alias in sides.values_list("owner_id", "friend_id", "alias")
        }
        ids = {row.values[column] for row in rows for column in self.key}
        known = set(
            AppUser.objects.filter(environment=environment, user_id__in=ids).values_list(
                "user_id", flat=True
            )
        )
        found = {}
        for row in rows:
            pair = (row.values["user_id"], row.values["friend_id"])
            missing = next((column for column in self.key if row.values[column] not in known), "")
            if missing:
                found[row.pk] = Verdict(Result.REFUSED, f"{missing}: is not registered here")
            elif pair in aliases and row.values.get("alias", aliases[pair]) == aliases[pair]:
                found[row.pk] = EXISTS
            else:
                found[row.pk] = READY
        return found

    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        identity.lock(environment, {row.values[column] for row in rows for column in self.key})
        found = self.verdicts(environment, rows, by=by, ahead=0, now=now)
        for row in rows:
            if found[row.pk] == READY:
                found[row.pk] = self._befriend(environment, row, by, now)
        return found

    def _befriend(
        self, environment: Environment, row: ImportRow, by: Actor, now: datetime
    ) -> Verdict:
        pair = {name: row.values[name] for name in self.key}
        at = {"environment": environment, "by": by, "now": now}
        try:
            with transaction.atomic():
                friends.add(**pair, **at, direct=True)  # type: ignore[arg-type]
                if alias := row.values.get("alias"):
                    friends.describe(**pair, **at, alias=alias)  # type: ignore[arg-type]
        except friends.TooManyFriends as error:
            return Verdict(Result.REFUSED, f"user_id: {error}")
        return DONE
