"""Blocklists (who cannot write to the owner) and allowlists (the only users who can).

Invariants
----------
* A list holds at most 3,000 users, under any concurrency: additions to a list take the owner's
  lock.
* Adding a listed user and removing an unlisted one change nothing and are not errors.
* The owner and the listed users need not be registered.
* While the owner's allowlist is switched on, their blocklist has no effect (`moderation.gates`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.keyset import Keyset, Page
from applications.models import Environment
from applications.plain_pages import PagesOfOwner
from applications.statements import Statement
from moderation.models import AllowlistEntry, AllowlistSwitch, BlocklistEntry
from users import identity

MAX_ENTRIES = 3_000
NEWEST_FIRST = Keyset("-id")
OLDEST_FIRST = Keyset("id")


class ListFull(Exception):
    """The additions would exceed the list's limit; nothing was added."""

    def __init__(self, owner_id: str, most: int = MAX_ENTRIES):
        super().__init__(
            gettext("The list of {owner_id} would hold more than {most:,} users").format(
                owner_id=owner_id, most=most
            )
        )
        self.owner_id = owner_id


class ListsOneself(Exception):
    """Nobody can be on their own list."""


@dataclass(frozen=True)
class UserList:
    """The operations on one kind of list, with the audit types that they record."""

    model: Any  # BlocklistEntry or AllowlistEntry: mypy cannot express this type
    added: AuditType
    removed: AuditType

    @cached_property
    def _among(self) -> Statement:
        """Asked for each message and each check."""
        return Statement(
            f"SELECT listed_id FROM {self.model._meta.db_table}"  # noqa: S608 - our own name
            " WHERE environment_id = %s AND owner_id = %s AND listed_id = ANY(%s::text[])"
        )

    @cached_property
    def _pages(self) -> PagesOfOwner:
        return PagesOfOwner(self.model, "id", "listed_id")

    def add(
        self,
        *,
        environment: Environment,
        owner_id: str,
        listed_ids: Iterable[str],
        by: Actor,
        now: datetime,
        most: int = MAX_ENTRIES,
    ) -> list[str]:
        """Add these to the owner's list, all or none; return those that were not on it before.
        `most` is for vendors with shorter lists.

        Raises `ListFull`, `ListsOneself`, `identity.InvalidUserId`.
        """
        identity.check_user_id(owner_id)
        wanted = identity.check_user_ids(listed_ids)
        if owner_id in wanted:
            raise ListsOneself(gettext("A user cannot be on their own list"))
        with transaction.atomic():
            identity.lock(environment, [owner_id])
            entries = self.model.objects.of(environment, owner_id)
            listed = set(entries.filter(listed_id__in=wanted).values_list("listed_id", flat=True))
            fresh = [user_id for user_id in wanted if user_id not in listed]
            if fresh and entries.count() + len(fresh) > most:
                raise ListFull(owner_id, most)
            # In the order given: the lists are sorted by key.
            self.model.objects.bulk_create(
                self.model(
                    environment=environment,
                    owner_id=owner_id,
                    listed_id=user_id,
                    added_at=now,
                    added_by=by.name,
                )
                for user_id in fresh
            )
            if fresh:
                self._record(self.added, environment, owner_id, by, now, after=fresh)
        return fresh

    def remove(
        self,
        *,
        environment: Environment,
        owner_id: str,
        listed_ids: Iterable[str],
        by: Actor,
        now: datetime,
    ) -> list[str]:
        """Remove these from the owner's list; return those that were on it."""
        identity.check_user_id(owner_id)
        wanted = identity.check_user_ids(listed_ids)
        with transaction.atomic():
            identity.lock(environment, [owner_id])
            entries = self.model.objects.of(environment, owner_id).filter(listed_id__in=wanted)
            listed = {entry.listed_id for entry in entries.delete_in_order()}
            removed = [user_id for user_id in wanted if user_id in listed]
            if removed:
                self._record(self.removed, environment, owner_id, by, now, before=removed)
        return removed

    def contains(self, *, environment: Environment, owner_id: str, listed_id: str) -> bool:
        """Whether `listed_id` is on the owner's list."""
        found = self.among(environment=environment, owner_id=owner_id, others=[listed_id])
        return listed_id in found

    def among(self, *, environment: Environment, owner_id: str, others: Iterable[str]) -> set[str]:
        """Those of `others` who are on the owner's list."""
        rows = self._among.rows(environment.pk, owner_id, list(others))
        return {listed_id for (listed_id,) in rows}

    def page(
        self,
        *,
        environment: Environment,
        owner_id: str,
        cursor: str = "",
        size: int,
        newest_first: bool = True,
    ) -> Page[Any]:
        """One page of the owner's list: rows with `listed_id`."""
        return self._pages.page(
            environment, owner_id, cursor=cursor, size=size, newest_first=newest_first
        )

    def _record(
        self,
        type: AuditType,
        environment: Environment,
        owner_id: str,
        by: Actor,
        now: datetime,
        before: list[str] | None = None,
        after: list[str] | None = None,
    ) -> None:
        audit.record(
            type,
            environment=environment,
            subject=owner_id,
            by=by,
            now=now,
            before={"listed": before} if before else None,
            after={"listed": after} if after else None,
        )


blocklist = UserList(BlocklistEntry, AuditType.BLOCKLIST_ADDED, AuditType.BLOCKLIST_REMOVED)
allowlist = UserList(AllowlistEntry, AuditType.ALLOWLIST_ADDED, AuditType.ALLOWLIST_REMOVED)


@transaction.atomic
def switch_allowlist(
    *, environment: Environment, owner_ids: Iterable[str], on: bool, by: Actor, now: datetime
) -> list[str]:
    """Switch these owners' allowlists on or off; return the owners for whom that was a change."""
    wanted = identity.check_user_ids(owner_ids)
    identity.lock(environment, wanted)
    was_on = allowlists_on(environment=environment, owner_ids=wanted)
    if on:
        changed = [owner_id for owner_id in wanted if owner_id not in was_on]
        AllowlistSwitch.objects.bulk_create(
            AllowlistSwitch(environment=environment, owner_id=owner_id, switched_on_at=now)
            for owner_id in changed
        )
    else:
        changed = [owner_id for owner_id in wanted if owner_id in was_on]
        AllowlistSwitch.objects.filter(environment=environment, owner_id__in=changed).delete()
    audit.record_many(
        AuditType.ALLOWLIST_SWITCHED,
        environment=environment,
        by=by,
        now=now,
        changes=[(owner_id, {"on": not on}, {"on": on}) for owner_id in changed],
    )
    return changed


def allowlists_on(*, environment: Environment, owner_ids: Iterable[str]) -> set[str]:
    """Those of these owners whose allowlist is switched on."""
    return set(
        AllowlistSwitch.objects.filter(
            environment=environment, owner_id__in=list(owner_ids)
        ).values_list("owner_id", flat=True)
    )
