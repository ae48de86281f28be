"""For how long an environment keeps what it has recorded: one setting for each kind.

Invariants
----------
* What is over goes by itself, soon after its time: an hourly task for each kind, in batches of a
  bounded size, each a transaction of its own.
* A setting without an end keeps for ever. What is not over never goes: waiting deliveries, bans in
  force and the changes that led to them, lines without a seal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext, ngettext

from applications.models import Environment

DAY = timedelta(days=1)
TEN_YEARS = timedelta(days=3_653)


@dataclass(frozen=True)
class Kind:
    """What is kept, and the bounds of its setting. `what` continues "keeps …"."""

    setting: str  # the name of a field of `Environment`
    what: str
    least: timedelta
    most: timedelta
    may_be_endless: bool = True

    def of(self, environment: Environment) -> timedelta | None:
        kept: timedelta | None = getattr(environment, self.setting)
        return kept

    def is_valid(self, kept: timedelta | None) -> bool:
        if kept is None:
            return self.may_be_endless
        return self.least <= kept <= self.most

    @property
    def bounds(self) -> str:
        text = (
            gettext("At least {least} and at most {most}, or empty: without end.")
            if self.may_be_endless
            else gettext("At least {least} and at most {most}.")
        )
        return text.format(least=_span(self.least), most=_span(self.most))


def _span(length: timedelta) -> str:
    if length < DAY:
        hours = length // timedelta(hours=1)
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    return (
        gettext("ten years")
        if length == TEN_YEARS
        else ngettext("{count} day", "{count} days", length.days).format(count=length.days)
    )


AUDIT = Kind("keep_audit", "lines of the audit trail", 30 * DAY, TEN_YEARS)
BANS = Kind("keep_bans", "bans that are over", 30 * DAY, TEN_YEARS)
TOMBSTONES = Kind("keep_tombstones", "tombstones of deactivated users", 30 * DAY, TEN_YEARS)
DELIVERIES = Kind("keep_deliveries", "deliveries of webhooks", DAY, 366 * DAY, False)
REQUESTS = Kind("keep_requests", "the request log", timedelta(hours=1), 7 * DAY, False)
KINDS = (AUDIT, BANS, TOMBSTONES, DELIVERIES, REQUESTS)


def environments_that_forget(kind: Kind) -> Iterator[tuple[Environment, timedelta]]:
    """Those whose setting has an end, with it."""
    found = Environment.objects.filter(**{f"{kind.setting}__isnull": False})
    for environment in found.select_related("application").order_by("pk"):
        kept = kind.of(environment)
        if kept is not None:
            yield environment, kept
