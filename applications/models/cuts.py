"""Statements of what was dropped from the audit trail."""

from django.db import models
from django.utils.translation import gettext


class AuditCut(models.Model):
    """A sealed statement: these seals, the oldest, were dropped with their lines, because every
    line was older than its environment keeps the trail (`applications.audit_cuts`). Never changed.
    """

    number = models.BigIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    # Numbers of the first and the last seal that were dropped.
    first_seal = models.BigIntegerField()
    last_seal = models.BigIntegerField()
    lines = models.BigIntegerField()
    # When the last of them was made, and its `seal`, which the first seal that is left has as its
    # `previous`.
    sealed_until = models.DateTimeField()
    seal_before = models.CharField(max_length=64)
    # The longest time that any environment with a line in them keeps the trail.
    kept = models.DurationField()
    # Which of `ENCRYPTION_KEYS` has made it.
    key_hint = models.CharField(max_length=8)
    # The `mac` of the statement before; empty in the first one.
    previous = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    def __str__(self) -> str:
        return gettext(
            "Seals {first_seal:,} to {last_seal:,} with {lines:,} lines, sealed until "
            "{sealed_until:%Y-%m-%d %H:%M} UTC, were dropped by rule at "
            "{made_at:%Y-%m-%d %H:%M} UTC: kept for {days} days."
        ).format(
            first_seal=self.first_seal,
            last_seal=self.last_seal,
            lines=self.lines,
            sealed_until=self.sealed_until,
            made_at=self.made_at,
            days=self.kept.days,
        )
