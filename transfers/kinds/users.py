"""Users: registered as by any other door, in the order of the file until the quota is full."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from applications import audit
from applications.access import Permission
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
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
    moment,
)
from transfers.models import ImportRow
from users import identity, quota, spelling
from users.admission import Newcomer
from users.bulk_registration import register_many
from users.models import AppUser, DeactivatedUser

_DEACTIVATED = Verdict(Result.REFUSED, "user_id: is deactivated; only the API can reactivate it")
_FUTURE = Verdict(Result.BROKEN, "registered_at: is in the future")


def _name(text: str) -> str:
    try:
        identity.check_profile(name=text, avatar_url=None)
    except identity.InvalidProfile as error:
        raise Wrong(str(error)) from None
    return text


def _avatar(text: str) -> str:
    try:
        identity.check_profile(name=None, avatar_url=text)
    except identity.InvalidProfile as error:
        raise Wrong(str(error)) from None
    return text


class Users(Kind):
    name, title, permission = "users", "Users", Permission.MANAGE_USERS
    columns = (
        USER_ID,
        Column("name", _name, "At most 100 characters"),
        Column("avatar_url", _avatar, "At most 1,024 bytes"),
        Column("registered_at", moment, "When they registered; empty: now"),
    )
    key = ("user_id",)

    def verdicts(
        self,
        environment: Environment,
        rows: Sequence[ImportRow],
        *,
        by: Actor,
        ahead: int,
        now: datetime,
    ) -> Verdicts:
        free = quota.free_places(environment)
        found = self._known(environment, rows)
        for row in rows:
            if row.pk in found:
                continue
            if _registered_at(row, now) > now:
                found[row.pk] = _FUTURE
            elif free is not None and ahead >= free:
                found[row.pk] = _full(environment)
            else:
                found[row.pk], ahead = READY, ahead + 1
        return found

    def perform(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> Verdicts:
        quota.lock(environment)
        found = self._known(environment, rows)
        fresh = [row for row in rows if row.pk not in found]
        free = quota.free_places(environment)
        if free is not None:
            found |= {row.pk: _full(environment) for row in fresh[free:]}
            fresh = fresh[:free]
        taken = self._register(environment, fresh, by=by, now=now)
        new = [row for row in fresh if row.key not in taken]
        audit.record_many(
            AuditType.USER_REGISTERED,
            environment=environment,
            by=by,
            now=now,
            changes=[(row.key, None, {"name": row.values.get("name", "")}) for row in new],
        )
        return {**found, **{row.pk: taken.get(row.key, DONE) for row in fresh}}

    def _register(
        self, environment: Environment, rows: Sequence[ImportRow], *, by: Actor, now: datetime
    ) -> dict[str, Verdict]:
        """Register these; those who could not be, by id."""
        taken: dict[str, Verdict] = {}
        while wanted := [row for row in rows if row.key not in taken]:
            try:
                with transaction.atomic():
                    newcomers = (
                        Newcomer(
                            row.key,
                            registered_at=_registered_at(row, now),
                            name=row.values.get("name"),
                            avatar_url=row.values.get("avatar_url"),
                        )
                        for row in wanted
                    )
                    many = register_many(
                        environment=environment, newcomers=newcomers, by=by, now=now
                    )
                    for _ in many:
                        pass
                break
            except spelling.TakenInAnotherCase as error:
                text = "user_id: another spelling is taken, and case is ignored here"
                taken |= dict.fromkeys(error.user_ids, Verdict(Result.REFUSED, text))
        return taken

    def _known(self, environment: Environment, rows: Sequence[ImportRow]) -> Verdicts:
        """The verdicts on ids that are registered or deactivated."""
        wanted = {"environment": environment, "user_id__in": [row.key for row in rows]}
        ids = AppUser.objects.filter(**wanted).values_list("user_id", flat=True)
        gone = DeactivatedUser.objects.filter(**wanted).values_list("user_id", flat=True)
        by_id = dict.fromkeys(ids, EXISTS) | dict.fromkeys(gone, _DEACTIVATED)
        return {row.pk: by_id[row.key] for row in rows if row.key in by_id}


def _registered_at(row: ImportRow, now: datetime) -> datetime:
    given = row.values.get("registered_at")
    return datetime.fromisoformat(given) if given else now


def _full(environment: Environment) -> Verdict:
    return Verdict(Result.OVER_QUOTA, f"All {environment.user_limit} places are taken")
