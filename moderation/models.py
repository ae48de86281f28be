"""Bans, mutes, blocklists and allowlists.

Invariants
----------
* All of them name users by (environment, user_id): ids that are not registered can be banned,
  muted, blocked and allowed, and a ban outlives deactivation.
* Bans are never rewritten: a row records a decision, and is closed once.
* A user has at most one open ban. Open does not mean in force: an expired ban stays open until the
  sweep closes it.
"""

from datetime import UTC, datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from applications.models import Environment
from users.fields import UserIdField, begins_with

# Sorts permanent bans after all others; never shown.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class BanQuerySet(models.QuerySet["Ban"]):
    def in_environment(self, environment: Environment) -> Self:
        return self.filter(environment=environment)

    def with_prefix(self, prefix: str) -> Self:
        """Bans of users whose ids begin with `prefix`. See also `AppUserQuerySet.with_prefix`."""
        return self.filter(begins_with(prefix))

    def open(self) -> Self:
        """Bans that nobody has closed; they may have expired."""
        return self.filter(closed_at=None)

    def in_force(self, now: datetime) -> Self:
        """Bans that keep users from connecting. See also `Ban.is_in_force`."""
        return self.open().filter(ends_at__gt=now)

    def due(self, now: datetime) -> Self:
        """Open bans that have expired, which the sweep must close."""
        return self.open().filter(expires_at__lte=now)


class MuteQuerySet(models.QuerySet["Mute"]):
    def in_force(self, now: datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class BanTimes:
    """What a ban's times say, of a row of `Ban` or of some of its columns."""

    imposed_at: Any  # of `Ban`, columns
    expires_at: Any
    closed_at: Any
    outcome: Any

    def is_in_force(self, now: datetime) -> bool:
        """See also `BanQuerySet.in_force`."""
        return self.closed_at is None and (self.expires_at is None or self.expires_at > now)

    def changed_at(self, now: datetime) -> datetime:
        """When the ban last changed: it was imposed, lifted or replaced, or it expired, whether or
        not a sweep has closed it.
        """
        changed_at: datetime = self.imposed_at
        if self.outcome in {Ban.Outcome.LIFTED, Ban.Outcome.REPLACED}:
            changed_at = self.closed_at
        elif self.expires_at is not None and self.expires_at <= now:
            changed_at = self.expires_at
        return changed_at


class Ban(BanTimes, models.Model):
    """A decision to keep a user from connecting, from `imposed_at` until it ends.

    Changing a ban closes its row as `replaced` and opens another with the same `banned_since`.
    """

    class Outcome(models.TextChoices):
        OPEN = "", "in force"
        EXPIRED = "expired"
        LIFTED = "lifted"
        REPLACED = "replaced", "changed"

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="bans", db_index=False
    )
    user_id = UserIdField()
    reason = models.CharField(max_length=200, blank=True)
    tell_reason = models.BooleanField(
        default=False, help_text="The user is told the reason as well. Never who imposed the ban."
    )
    imposed_at = models.DateTimeField()
    imposed_by = models.CharField(max_length=150)
    imposed_via = models.CharField(max_length=80)
    banned_since = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: permanent.")
    # The end without NULL, which keyset pagination cannot compare.
    ends_at = models.GeneratedField(
        expression=Coalesce("expires_at", models.Value(NEVER)),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=150, blank=True)
    closed_via = models.CharField(max_length=80, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.OPEN, blank=True)

    objects = BanQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: is this user banned?
            models.UniqueConstraint(
                name="moderation_ban_one_open_per_user",
                fields=["environment", "user_id"],
                condition=Q(closed_at=None),
            ),
            models.CheckConstraint(
                name="moderation_ban_ends_after_it_starts",
                condition=Q(expires_at=None) | Q(expires_at__gt=F("imposed_at")),
            ),
            models.CheckConstraint(
                name="moderation_ban_closed_has_outcome",
                condition=Q(closed_at=None, outcome="", closed_by="")
                | (Q(closed_at__isnull=False) & ~Q(outcome="") & ~Q(closed_by="")),
            ),
        ]
        indexes = [
            # What the sweep must close.
            models.Index(
                fields=["expires_at"],
                name="moderation_ban_due",
                condition=Q(closed_at=None, expires_at__isnull=False),
            ),
            # The Bans page, in force, ends-soonest first; the vendors' lists, backwards.
            models.Index(
                fields=["environment", "ends_at", "id"],
                name="moderation_ban_in_force",
                condition=Q(closed_at=None),
            ),
            # The Bans page, lifted or expired, last closed first.
            models.Index(
                fields=["environment", "outcome", "-closed_at", "-id"],
                name="moderation_ban_closed",
                condition=Q(outcome__in=["lifted", "expired"]),
            ),
            # The Bans page, all.
            models.Index(fields=["environment", "-id"], name="moderation_ban_all"),
            # A user's ban history.
            models.Index(fields=["environment", "user_id", "-id"], name="moderation_ban_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.expires_at or 'lifted'}"

    @property
    def told_reason(self) -> str:
        """The reason if the user may know it, otherwise ""."""
        return self.reason if self.tell_reason else ""


class Mute(models.Model):
    """A user who may connect, but not write, in one kind of conversation."""

    class Channel(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"
        ROOM = "room", "chat room"

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user_id = UserIdField()
    channel = models.CharField(max_length=6, choices=Channel)
    imposed_at = models.DateTimeField()
    imposed_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: permanent.")

    objects = MuteQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: may this user write here?
            models.UniqueConstraint(
                name="moderation_mute_once", fields=["environment", "user_id", "channel"]
            ),
        ]
        indexes = [
            # Who is muted in this channel?
            models.Index(
                fields=["environment", "channel", "id"], name="moderation_mutes_in_channel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.channel} until {self.expires_at or 'lifted'}"


class SweepRun(models.Model):
    """When the ban sweep last ran. There is one row."""

    ran_at = models.DateTimeField()
    closed = models.PositiveIntegerField(help_text="How many bans that run closed.")

    def __str__(self) -> str:
        return f"{self.ran_at:%Y-%m-%d %H:%M:%S}, {self.closed} closed"


class ListEntryQuerySet(models.QuerySet["ListEntry"]):
    def of(self, environment: Environment, owner_id: str) -> Self:
        return self.filter(environment=environment, owner_id=owner_id)

    def naming(self, environment: Environment, listed_id: str) -> Self:
        return self.filter(environment=environment, listed_id=listed_id)

    def delete_in_order(self) -> "list[ListEntry]":
        """Delete these entries, in a transaction; return those that existed. Rows are locked in the
        order of their keys: otherwise a caller that empties a list could deadlock with one that
        removes users from all lists.
        """
        entries: list[ListEntry] = list(self.select_for_update().order_by("pk"))
        self.model.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
        return entries


class ListEntry(models.Model):
    """A listed user on an owner's list."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    listed_id = UserIdField()
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)

    objects = ListEntryQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            # Also answers: is this user on this owner's list?
            models.UniqueConstraint(
                name="moderation_%(class)s_once", fields=["environment", "owner_id", "listed_id"]
            ),
            models.CheckConstraint(
                name="moderation_%(class)s_not_oneself",
                condition=~Q(owner_id=F("listed_id")),
            ),
        ]
        indexes = [
            # A list, newest first.
            models.Index(fields=["environment", "owner_id", "-id"], name="%(class)s_of_owner"),
            # Who has this user on their list?
            models.Index(fields=["environment", "listed_id", "-id"], name="%(class)s_naming"),
            # The Lists page, newest first.
            models.Index(fields=["environment", "-id"], name="%(class)s_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} → {self.listed_id}"


class BlocklistEntry(ListEntry):
    """`listed_id` cannot write to `owner_id`."""

    class Meta(ListEntry.Meta):
        verbose_name_plural = "blocklist entries"


class AllowlistEntry(ListEntry):
    """While the owner's allowlist is switched on, only users listed on it can write to them."""

    class Meta(ListEntry.Meta):
        verbose_name_plural = "allowlist entries"


class AllowlistSwitch(models.Model):
    """A user whose allowlist is switched on. Their blocklist has no effect meanwhile."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner_id = UserIdField()
    switched_on_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="moderation_allowlistswitch_once", fields=["environment", "owner_id"]
            ),
        ]
        verbose_name_plural = "allowlist switches"

    def __str__(self) -> str:
        return f"{self.owner_id}: allowlist on"
