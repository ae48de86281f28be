"""Places in a quota, with who took them, leases and pins; and rules for leases."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from applications.fields import IdentifierField
from applications.models import Environment
from users.fields import USER_ID_MAX_LENGTH
from users.models.app_users import AppUser


class PlaceQuerySet(models.QuerySet["Place"]):
    def due(self, now: datetime) -> Self:
        """Leases that have ended and that no pin suspends."""
        return self.filter(lease_until__lte=now, pinned_at=None)


class Place(models.Model):
    """A user's place in the quota. It exists for users who registered while their environment had a
    limit, and for users with a lease or a pin.
    """

    user = models.OneToOneField(
        AppUser, on_delete=models.CASCADE, primary_key=True, related_name="place"
    )
    # Who registered the user, and by which call or page. Empty for users registered before this was
    # recorded.
    taken_by = models.CharField(max_length=150, blank=True)
    taken_via = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(
        null=True, blank=True, help_text="When the user is deleted. Empty: no lease."
    )
    pinned_at = models.DateTimeField(
        null=True, blank=True, help_text="No plan and no lease deletes a pinned user."
    )
    pinned_by = models.CharField(max_length=150, blank=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        indexes = [
            # Leases that have ended, for the sweep; how late the sweep is.
            models.Index(
                fields=["lease_until"],
                name="users_place_due",
                condition=Q(lease_until__isnull=False, pinned_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"Place of {self.user_id}"


class LeaseRule(models.Model):
    """Users of an environment whose ids begin with `prefix` get a lease when they register."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="lease_rules", db_index=False
    )
    prefix = IdentifierField(max_length=USER_ID_MAX_LENGTH)
    lasts = models.DurationField(help_text="From registration to deletion.")
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            # Also answers: which rules does this environment have?
            models.UniqueConstraint(name="users_leaserule_once", fields=["environment", "prefix"]),
            models.CheckConstraint(
                name="users_leaserule_lasts", condition=Q(lasts__gt=timedelta(0))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… for {self.lasts}"
