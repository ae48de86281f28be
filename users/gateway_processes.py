"""The gateway's processes: which are alive, what they hold, and what dead ones leave behind.

Invariants
----------
* A process is alive while its lease runs. What a killed process held is offline when its lease is
  over, and is struck out soon after.
* A process that was given up for dead must begin anew, under another name.
"""

from datetime import datetime, timedelta

from django.db import transaction

from users import presence
from users.models import Connection, GatewayProcess

# How long a process counts as alive after it last said so.
LEASE = timedelta(seconds=15)


def start(*, name: str, now: datetime) -> GatewayProcess:
    """A gateway process begins; `name` is its own alone."""
    return GatewayProcess.objects.create(name=name, started_at=now, lease_until=now + LEASE)


def renew_lease(*, gateway: GatewayProcess, now: datetime) -> bool:
    """Say that the process is alive. False when it was given up for dead: it must begin anew."""
    return bool(GatewayProcess.objects.filter(pk=gateway.pk).update(lease_until=now + LEASE))


def kicks(*, gateway: GatewayProcess) -> list[Connection]:
    """What this process has been asked to close and has not yet."""
    return list(Connection.objects.filter(gateway=gateway, kicked_at__isnull=False))


def held_since(*, gateway: GatewayProcess, connected_before: datetime) -> list[int]:
    """The keys of what stands here as held by this process since before that time."""
    held = Connection.objects.filter(gateway=gateway, connected_at__lt=connected_before)
    return list(held.values_list("pk", flat=True))


@transaction.atomic
def stop(*, gateway: GatewayProcess, now: datetime) -> None:
    """The process ends in order; what it still holds ends with it."""
    presence.delete_ended(_held(gateway), at=now)
    GatewayProcess.objects.filter(pk=gateway.pk).delete()


@transaction.atomic
def remove_dead(*, now: datetime) -> int:
    """Strike out processes whose lease is over, with what they held; how many connections."""
    count = 0
    dead = GatewayProcess.objects.select_for_update(skip_locked=True).filter(lease_until__lte=now)
    for gateway in dead:
        held = _held(gateway)
        presence.delete_ended(held, at=gateway.lease_until)
        gateway.delete()
        count += len(held)
    return count


def _held(gateway: GatewayProcess) -> list[Connection]:
    held = Connection.objects.filter(gateway=gateway)
    return list(held.select_for_update().order_by("pk"))
