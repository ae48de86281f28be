"""Statuses: what users show of themselves while they are online, and who wants to hear of it.

Invariants
----------
* A status is shown as the user last chose it; whether they are online, `users.presence` knows.
* Nobody hears of more than 3,000 others, under any concurrency: `subscribe` locks the owner.
* The clock alone ends a subscription. One that is over is removed when its owner subscribes again.
* Like connecting, none of it leaves a line in the audit trail: a client does it all day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from applications.models import Environment
from users import identity, presence
from users.models import Status, StatusSubscription

TEXT_MAX_BYTES = 1_024
STATE_MAX_LENGTH = 64
DEVICE_MAX_LENGTH = 128
MAX_SUBSCRIPTIONS = 3_000
MAX_LIFETIME = timedelta(days=30)


class InvalidStatus(Exception):
    """A text, state or device out of bounds; the message names it."""


class TooManySubscriptions(Exception):
    """The owner would hear of more users than one may."""

    def __init__(self, owner_id: str):
        super().__init__(f"{owner_id} would hear of more than {MAX_SUBSCRIPTIONS:,} users")


@transaction.atomic
def publish(
    *, environment: Environment, user_id: str, text: str, device: str, state: str, now: datetime
) -> None:
    """Show this text, and this state for one device. What was shown for devices before is kept as
    far as there may be connections. Raises `InvalidStatus`.
    """
    if not identity.is_text(text, TEXT_MAX_BYTES) or len(text.encode()) > TEXT_MAX_BYTES:
        raise InvalidStatus(f"A status has at most {TEXT_MAX_BYTES:,} bytes")
    for value, most in ((device, DEVICE_MAX_LENGTH), (state, STATE_MAX_LENGTH)):
        if not value or not identity.is_text(value, most):
            raise InvalidStatus("A device and its state are short texts")
    identity.lock(environment, [user_id])
    before = get_many(environment=environment, user_ids=[user_id]).get(user_id)
    others = {
        name: shown for name, shown in (before.devices if before else {}).items() if name != device
    }
    # A store for JSON keeps no order, so that any of the others may go.
    kept = dict(list(others.items())[: presence.MAX_CONNECTIONS - 1])
    Status.objects.update_or_create(
        environment=environment,
        owner_id=user_id,
        defaults={"text": text, "devices": {**kept, device: state}, "changed_at": now},
    )


def get_many(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Status]:
    """user_id → status, for those who ever published one."""
    found = Status.objects.filter(environment=environment, owner_id__in=list(user_ids))
    return {status.owner_id: status for status in found}


@transaction.atomic
def subscribe(
    *,
    environment: Environment,
    owner_id: str,
    about_ids: Iterable[str],
    lifetime: timedelta,
    now: datetime,
) -> datetime:
    """Hear of these users until the time that is answered; who is subscribed to already gets the
    new end. Raises `TooManySubscriptions`.
    """
    wanted = identity.check_user_ids(about_ids)
    identity.lock(environment, [owner_id])
    held = StatusSubscription.objects.filter(environment=environment, owner_id=owner_id)
    held.filter(expires_at__lte=now).delete()
    if held.exclude(about_id__in=wanted).count() + len(wanted) > MAX_SUBSCRIPTIONS:
        raise TooManySubscriptions(owner_id)
    expires_at = now + lifetime
    StatusSubscription.objects.bulk_create(
        [
            StatusSubscription(
                environment=environment,
                owner_id=owner_id,
                about_id=about_id,
                expires_at=expires_at,
            )
            for about_id in wanted
        ],
        update_conflicts=True,
        unique_fields=["environment", "owner_id", "about_id"],
        update_fields=["expires_at"],
    )
    return expires_at


@transaction.atomic
def unsubscribe(*, environment: Environment, owner_id: str, about_ids: Iterable[str]) -> None:
    """Not to be subscribed is no error."""
    StatusSubscription.objects.filter(
        environment=environment, owner_id=owner_id, about_id__in=list(about_ids)
    ).delete()


def subscriptions(
    *, environment: Environment, owner_id: str, now: datetime
) -> QuerySet[StatusSubscription]:
    """Those in force, `MAX_SUBSCRIPTIONS` at most. An index has them by `about_id`."""
    return StatusSubscription.objects.filter(
        environment=environment, owner_id=owner_id, expires_at__gt=now
    )
