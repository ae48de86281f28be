"""Presence statuses that users publish, and subscriptions to them.

Invariants
----------
* A status is what the user last published; `users.presence` knows whether the user is online.
* A user subscribes to at most 3,000 others, under any concurrency: `subscribe` locks the owner.
* A subscription ends at `expires_at`. Expired ones are deleted when their owner subscribes again.
* Statuses and subscriptions are not recorded in the audit log, like connections: clients change
  them all the time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from applications.models import Environment
from users import identity, presence, subscribers
from users.models import AppUser, Status, StatusSubscription

TEXT_MAX_BYTES = 1_024
STATE_MAX_LENGTH = 64
DEVICE_MAX_LENGTH = 128
MAX_SUBSCRIPTIONS = 3_000
MAX_LIFETIME = timedelta(days=30)


class InvalidStatus(Exception):
    """A text, state or device is invalid; the message says which."""


class TooManySubscriptions(Exception):
    """The owner would subscribe to more than `MAX_SUBSCRIPTIONS` users."""

    def __init__(self, owner_id: str):
        super().__init__(f"{owner_id} would subscribe to more than {MAX_SUBSCRIPTIONS:,} users")


@transaction.atomic
def publish(
    *, environment: Environment, user_id: str, text: str, device: str, state: str, now: datetime
) -> None:
    """Set the user's text, and the state of one device. States of other devices are kept, for
    `presence.MAX_CONNECTIONS` devices in all. Raises `InvalidStatus`.
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
    # Drops any of the other devices: JSONB keeps no order.
    kept = dict(list(others.items())[: presence.MAX_CONNECTIONS - 1])
    Status.objects.update_or_create(
        environment=environment,
        owner_id=user_id,
        defaults={"text": text, "devices": {**kept, device: state}, "changed_at": now},
    )
    subscribers.tell(environment_id=environment.pk, user_ids=[user_id], now=now)


def get_many(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, Status]:
    """user_id → status, for those who have published one."""
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
    """Subscribe to these users; return when the subscriptions expire. Existing subscriptions to
    them get the new end. Raises `TooManySubscriptions`.
    """
    wanted = identity.check_user_ids(about_ids)
    identity.lock(environment, [owner_id])
    existing = StatusSubscription.objects.filter(environment=environment, owner_id=owner_id)
    existing.filter(expires_at__lte=now).delete()
    if existing.exclude(about_id__in=wanted).count() + len(wanted) > MAX_SUBSCRIPTIONS:
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
    """Unsubscribe from these users. It is not an error if there is no subscription."""
    StatusSubscription.objects.filter(
        environment=environment, owner_id=owner_id, about_id__in=list(about_ids)
    ).delete()


def subscriptions(
    *, environment: Environment, owner_id: str, now: datetime
) -> QuerySet[StatusSubscription]:
    """The subscriptions in force, `MAX_SUBSCRIPTIONS` at most. An index sorts by `about_id`."""
    return StatusSubscription.objects.filter(
        environment=environment, owner_id=owner_id, expires_at__gt=now
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What a subscriber sees of a user. `devices` are those that are online, each with its state.
    `expires_at` is the end of the subscription; None if there is none.
    """

    user_id: str
    text: str
    devices: dict[str, str]
    seen_at: datetime | None
    expires_at: datetime | None


# The state of a device for which the user has not published one.
ONLINE = "1"


def shown(
    *, environment: Environment, owner_id: str, users: Iterable[AppUser], now: datetime
) -> dict[str, Shown]:
    """user_id → what `owner_id` sees of these users. Three queries for all."""
    by_id = {user.user_id: user for user in users}
    connected = presence.connections_of(environment=environment, user_ids=list(by_id), now=now)
    published = get_many(environment=environment, user_ids=by_id)
    held = subscriptions(environment=environment, owner_id=owner_id, now=now)
    ends = dict(held.filter(about_id__in=by_id).values_list("about_id", "expires_at"))
    found = {}
    for user_id, user in by_id.items():
        status = published.get(user_id)
        states = status.devices if status is not None else {}
        resources = [each.resource for each in connected.get(user_id, ())]
        found[user_id] = Shown(
            user_id=user_id,
            text=status.text if status is not None else "",
            devices={resource: states.get(resource, ONLINE) for resource in resources},
            seen_at=now if resources else user.last_seen_at,
            expires_at=ends.get(user_id),
        )
    return found
