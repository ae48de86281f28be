"""App users, tombstones of deactivated ones, deletion jobs, connections.

Invariants
----------
* A `user_id` is unique in its environment, and compares by bytes.
* An id is registered (a row in AppUser), deactivated (a row in DeactivatedUser), or neither; never
  both. The verbs keep it so under `identity.lock`.
* The primary key of an AppUser names one life of an id: an id that is deleted and registered
  again is another row, and nothing that points to the first points to the second.
* What may concern unregistered ids (connections, and above: bans and lists) names users by
  (environment, user_id), not by foreign key.
"""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from applications.fields import IdentifierField
from applications.models import Environment

USER_ID_MAX_LENGTH = 64  # bytes; the allowed characters take one each
NAME_MAX_LENGTH = 64  # characters
AVATAR_URL_MAX_LENGTH = 1024  # bytes


class AppUserQuerySet(models.QuerySet["AppUser"]):
    def in_environment(self, environment: Environment) -> Self:
        return self.filter(environment=environment)

    def never_connected(self) -> Self:
        return self.filter(last_seen_at=None)

    def with_prefix(self, prefix: str) -> Self:
        """Ids that begin with `prefix`, as a range over the index on (environment, user_id)."""
        # DEL is the last ASCII character, and no id has it.
        return self.filter(user_id__gte=prefix, user_id__lt=prefix + "\x7f")

    def online(self, now: datetime) -> Self:
        """Those with a connection whose gateway process is alive."""
        return self.filter(
            models.Exists(
                Connection.objects.alive(now).filter(
                    environment=models.OuterRef("environment"), user_id=models.OuterRef("user_id")
                )
            )
        )


class AppUser(models.Model):
    """A person of the customer's app, registered in one environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="users")
    user_id = IdentifierField(max_length=USER_ID_MAX_LENGTH)
    # Agora Chat knows users by it as well.
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=NAME_MAX_LENGTH, blank=True)
    avatar_url = models.CharField(max_length=AVATAR_URL_MAX_LENGTH, blank=True)
    registered_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True, blank=True)
    tokens_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Access tokens issued before this moment are dead."
    )

    objects = AppUserQuerySet.as_manager()

    class Meta:
        constraints = [
            # Also answers: this id? which ids begin with this prefix?
            models.UniqueConstraint(
                name="users_appuser_unique_id", fields=["environment", "user_id"]
            ),
        ]
        indexes = [
            # The Users page, newest first; the Quota page by age.
            models.Index(fields=["environment", "-registered_at", "-id"], name="users_by_age"),
            # The Quota page by last seen.
            models.Index(fields=["environment", "last_seen_at", "id"], name="users_by_last_seen"),
            # The tab "never connected".
            models.Index(
                fields=["environment", "-registered_at", "-id"],
                name="users_never_connected",
                condition=Q(last_seen_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.user_id

    def get_absolute_url(self) -> str:
        environment = self.environment
        return reverse(
            "user_detail", args=[environment.application.org_name, environment.kind, self.user_id]
        )


class RegistrationTally(models.Model):
    """How many registrations a day saw, deleted users included.

    Spread over `SHARDS` rows a day, or all registrars of a busy environment would queue for one.
    """

    SHARDS = 16

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(help_text="In UTC.")
    shard = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Also answers: registrations per day of an environment.
            models.UniqueConstraint(
                name="users_registrationtally_unique", fields=["environment", "day", "shard"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class DeactivatedUserQuerySet(models.QuerySet["DeactivatedUser"]):
    def awaiting_erasure(self) -> Self:
        return self.filter(erased_at=None)


class DeactivatedUser(models.Model):
    """What stays of a deactivated user: the id, when, and by which call. It disables the id."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="deactivated_users"
    )
    user_id = IdentifierField(max_length=USER_ID_MAX_LENGTH)
    deactivated_at = models.DateTimeField()
    deactivated_by = models.CharField(max_length=150)
    via = models.CharField(max_length=80)
    operation_id = models.CharField(max_length=19)
    was_registered = models.BooleanField()
    erased_at = models.DateTimeField(null=True, blank=True)
    erased = models.JSONField(default=dict, blank=True, help_text="What was erased: word → count.")

    objects = DeactivatedUserQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="users_deactivateduser_unique_id", fields=["environment", "user_id"]
            ),
        ]
        indexes = [
            # The Deactivated page and the vendors' lists, newest first.
            models.Index(
                fields=["environment", "-deactivated_at", "-id"], name="users_deactivated_by_time"
            ),
            # What is still to be erased, for the task.
            models.Index(fields=["id"], name="users_awaiting_erasure", condition=Q(erased_at=None)),
        ]

    def __str__(self) -> str:
        return self.user_id


class DeletionJobQuerySet(models.QuerySet["DeletionJob"]):
    def running(self) -> Self:
        return self.filter(state=DeletionJob.State.RUNNING)


class DeletionJob(models.Model):
    """The deletion of several test users: first a preview of exactly whom, then, once confirmed,
    done in batches until every one of them has a result.
    """

    class State(models.TextChoices):
        PREVIEWED = "previewed"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="deletion_jobs"
    )
    state = models.CharField(max_length=9, choices=State, default=State.PREVIEWED)
    previewed_at = models.DateTimeField()
    previewed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Each batch pushes it on: a running job that has stood still has lost its worker.
    progressed_at = models.DateTimeField(null=True, blank=True)

    objects = DeletionJobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["environment", "-id"], name="users_jobs_of_environment"),
            # What the sweep must resume.
            models.Index(
                fields=["progressed_at"], name="users_jobs_running", condition=Q(state="running")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="users_deletionjob_confirmed_before_it_runs",
                condition=Q(state__in=["previewed", "cancelled"]) | Q(confirmed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Deletion {self.pk} ({self.state})"

    def get_absolute_url(self) -> str:
        environment = self.environment
        return reverse(
            "deletion_job", args=[environment.application.org_name, environment.kind, self.pk]
        )


class DeletionItemQuerySet(models.QuerySet["DeletionItem"]):
    def pending(self) -> Self:
        return self.filter(result=DeletionItem.Result.PENDING)


class DeletionItem(models.Model):
    """One user of a deletion job, as previewed."""

    class Result(models.TextChoices):
        PENDING = "pending", "waiting"
        DELETED = "deleted"
        GONE = "gone", "was gone already"
        ANOTHER_LIFE = "another_life", "kept: registered again since the preview"

    job = models.ForeignKey(DeletionJob, on_delete=models.CASCADE, related_name="items")
    user_id = IdentifierField(max_length=USER_ID_MAX_LENGTH)
    # The life that was previewed, by AppUser's primary key; no foreign key, for it is to go.
    life = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=12, choices=Result, default=Result.PENDING)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DeletionItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="users_deletionitem_once", fields=["job", "user_id"]),
            models.CheckConstraint(
                name="users_deletionitem_done_has_time",
                condition=Q(result="pending", done_at=None)
                | (~Q(result="pending") & Q(done_at__isnull=False)),
            ),
        ]
        indexes = [
            # What is left of a job; and its progress, by result.
            models.Index(fields=["job", "result", "id"], name="users_items_by_result"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.result}"


class GatewayProcess(models.Model):
    """A gateway process, alive while it renews its lease."""

    name = models.CharField(max_length=100, unique=True)
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def alive(self, now: datetime) -> Self:
        """Held by a gateway process whose lease runs; the others died with theirs."""
        return self.filter(gateway__lease_until__gt=now)

    def of_users(self, environment: Environment, user_ids: list[str]) -> Self:
        return self.filter(environment=environment, user_id__in=user_ids)


class Connection(models.Model):
    """A client that holds a gateway open. Its lease is its gateway's."""

    gateway = models.ForeignKey(GatewayProcess, on_delete=models.CASCADE, related_name="+")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="+")
    user_id = IdentifierField(max_length=USER_ID_MAX_LENGTH)
    device = models.CharField(max_length=64, blank=True)
    platform = models.CharField(max_length=32, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    connected_at = models.DateTimeField()
    # A request to close it, which waits here until the gateway has.
    kicked_at = models.DateTimeField(null=True, blank=True)
    kick_reason = models.CharField(max_length=40, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        indexes = [
            # Is this user online? Which of their connections are to close?
            models.Index(fields=["environment", "user_id"], name="users_connections_of_user"),
            # What a gateway process has been asked to close.
            models.Index(
                fields=["gateway"], name="users_kicked", condition=Q(kicked_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.connected_at:%Y-%m-%d %H:%M}"
