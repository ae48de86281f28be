"""Rules that give users a lease by the beginning of their ids: ids with `ci-` live two hours.

Invariants
----------
* Only in development. A rule concerns users who register from then on; it changes nobody else.
* If several rules fit an id, the one with the longest prefix applies.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity, leases
from users.models import LeaseRule

MAX_RULES = 20


class InvalidRule(Exception):
    """A prefix is none, or there is a rule for it; the text says which."""


class TooManyRules(Exception):
    """The environment has `MAX_RULES` rules."""

    def __init__(self) -> None:
        super().__init__(
            gettext("An environment has at most {max_rules} lease rules").format(
                max_rules=MAX_RULES
            )
        )


class NoSuchRule(Exception):
    """There is no such rule; somebody may have removed it."""


@transaction.atomic
def add(
    *, environment: Environment, prefix: str, lasts: timedelta, by: Actor, now: datetime
) -> LeaseRule:
    """Raises `leases.LeasesInProduction`, `leases.InvalidLease`, `InvalidRule`, `TooManyRules`."""
    leases.check(environment, lasts)
    if not identity.is_prefix(prefix):
        raise InvalidRule(gettext("No id can begin with this"))
    # Concurrent additions wait for each other here.
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    existing = set(
        LeaseRule.objects.filter(environment=environment).values_list("prefix", flat=True)
    )
    if prefix in existing:
        raise InvalidRule(
            gettext("There is a rule for {prefix} already: remove it first").format(prefix=prefix)
        )
    if len(existing) >= MAX_RULES:
        raise TooManyRules
    rule = LeaseRule.objects.create(
        environment=environment, prefix=prefix, lasts=lasts, added_at=now, added_by=by.name
    )
    audit.record(
        AuditType.LEASE_RULE_ADDED,
        environment=environment,
        by=by,
        now=now,
        after={"prefix": prefix, "seconds": int(lasts.total_seconds())},
    )
    return rule


@transaction.atomic
def remove(*, environment: Environment, rule_id: int, by: Actor, now: datetime) -> LeaseRule:
    """Remove a rule; leases that it gave stay. Raises `NoSuchRule`."""
    rule = LeaseRule.objects.select_for_update().filter(environment=environment, pk=rule_id).first()
    if rule is None:
        raise NoSuchRule
    rule.delete()
    audit.record(
        AuditType.LEASE_RULE_REMOVED,
        environment=environment,
        by=by,
        now=now,
        before={"prefix": rule.prefix, "seconds": int(rule.lasts.total_seconds())},
    )
    return rule


def of(environment: Environment) -> list[LeaseRule]:
    """The rules of an environment, by prefix."""
    return list(LeaseRule.objects.filter(environment=environment).order_by("prefix"))


def spans(environment: Environment, user_ids: Iterable[str]) -> dict[str, timedelta]:
    """user_id → how long its lease lasts, for the ids that a rule fits."""
    longest_first = sorted(of(environment), key=lambda rule: -len(rule.prefix))
    found = {}
    for user_id in user_ids:
        rule = next((each for each in longest_first if user_id.startswith(each.prefix)), None)
        if rule is not None:
            found[user_id] = rule.lasts
    return found
