"""Bans and mutes. Who is banned or muted already keeps the end they have."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from applications.access import Permission
from applications.audit import Actor
from applications.models import Environment
from moderation import bans, mutes, stakes
from moderation.decisions import Terms
from moderation.models import NEVER, Mute
from transfers.kinds.base import (
    END,
    EXISTS,
    READY,
    USER_ID,
    Column,
    Kind,
    Result,
    Verdict,
    Verdicts,
    Wrong,
    end_of,
    performed,
)
from transfers.models import ImportRow
from users import identity

_OVER = Verdict(Result.REFUSED, "expires_at: is over already")
_NO_REASON = Verdict(
    Result.BROKEN, "reason: is empty; in production, permanent bans and bans of several need one"
)
_CHANNELS = ", ".join(Mute.Channel.values)
REASON_MAX_LENGTH = 200


def _reason(text: str) -> str:
    if not identity.is_text(text, REASON_MAX_LENGTH):
        raise Wrong(f"At most {REASON_MAX_LENGTH} printable characters")
    return text


def _channel(text: str) -> str:
    if text not in Mute.Channel.values:
        raise Wrong(f"None of {_CHANNELS}")
    return text


def _is_over(row: ImportRow, now: datetime) -> bool:
    ends = end_of(row.values)
    return ends is not None and ends <= now


class Bans(Kind):
    name, title, permission = "bans", "Bans", Permission.MODERATE
    columns = (
        USER_ID,
        END,
        Column("reason", _reason, f"At most {REASON_MAX_LENGTH} characters. Users are not told it"),
    )
    key = ("user_id",)

    def objection(self, values: Mapping[str, str]) -> str:
        ends = end_of(values)
        return "" if ends is None or ends < NEVER else "expires_at: is after the year 9998"

    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        banned = bans.in_force(environment=environment, user_ids=[row.key for row in rows], now=now)
        found = {}
        for row in rows:
            reasons = {row.key: row.values.get("reason", "")}
            found[row.pk] = READY
            if row.key in banned:
                found[row.pk] = EXISTS
            elif _is_over(row, now):
                found[row.pk] = _OVER
            else:
                try:
                    # A file is a ban of several users.
                    stakes.require_reason(environment, reasons, expires_at=None, by=by)
                except stakes.ReasonNeeded:
                    found[row.pk] = _NO_REASON
        return found

    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        identity.lock(environment, [row.key for row in rows])
        found = self.verdicts(environment, rows, by=by, ahead=0, now=now)
        terms = {
            row.key: Terms(end_of(row.values), row.values.get("reason", ""))
            for row in rows
            if found[row.pk] == READY
        }
        bans.impose_each(environment=environment, terms=terms, by=by, now=now)
        return performed(found)


class Mutes(Kind):
    name, title, permission = "mutes", "Mutes", Permission.MODERATE
    columns = (USER_ID, Column("channel", _channel, f"One of {_CHANNELS}", True), END)
    key = ("user_id", "channel")

    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        muted = set(
            Mute.objects.in_force(now)
            .filter(environment=environment, user_id__in={row.values["user_id"] for row in rows})
            .values_list("user_id", "channel")
        )
        return {
            row.pk: EXISTS
            if (row.values["user_id"], row.values["channel"]) in muted
            else _OVER
            if _is_over(row, now)
            else READY
            for row in rows
        }

    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        identity.lock(environment, {row.values["user_id"] for row in rows})
        found = self.verdicts(environment, rows, by=by, ahead=0, now=now)
        together: dict[tuple[str, datetime | None], list[str]] = defaultdict(list)
        for row in rows:
            if found[row.pk] == READY:
                together[row.values["channel"], end_of(row.values)].append(row.values["user_id"])
        for (channel, expires_at), user_ids in together.items():
            mutes.impose(
                environment=environment,
                user_ids=user_ids,
                channel=Mute.Channel(channel),
                expires_at=expires_at,
                by=by,
                now=now,
            )
        return performed(found)
