"""The gateway's processes: their leases, their connections, and the removal of dead ones.

Invariants
----------
* A process is alive until its lease expires. The connections of a killed process count as closed
  from then on, and their rows are deleted soon after.
* A process whose row was removed as dead must start again, under another name.
"""

from datetime import datetime, timedelta

from django.db import transaction

from users import presence
from users.models import Connection, GatewayProcess

# How long a process counts as alive after it last renewed its lease.
LEASE = timedelta(seconds=15)


def start(*, name: str, now: datetime) -> GatewayProcess:
    """Register a gateway process under a unique name."""
    return GatewayProcess.objects.create(name=name, started_at=now, lease_until=now + LEASE)


def renew_lease(*, gateway: GatewayProcess, now: datetime) -> bool:
    """Renew the lease. False if the process was removed as dead: it must start again."""
    return bool(GatewayProcess.objects.filter(pk=gateway.pk).update(lease_until=now + LEASE))


def kicks(*, gateway: GatewayProcess) -> list[Connection]:
    """Connections that this process has been asked to close and has not closed yet."""
    return list(Connection.objects.filter(gateway=gateway, kicked_at__isnull=False))


def held(*, gateway: GatewayProcess) -> dict[int, tuple[str, datetime]]:
    """This process's connections as the database has them: key → user_id, and since when."""
    rows = Connection.objects.filter(gateway=gateway).values_list("pk", "user_id", "connected_at")
    return {key: (user_id, connected_at) for key, user_id, connected_at in rows.iterator()}


@transaction.atomic
def stop(*, gateway: GatewayProcess, now: datetime) -> None:
    """The process stops in order: delete its remaining connections and its row."""
    presence.delete_closed(_locked_connections(gateway), at=now)
    GatewayProcess.objects.filter(pk=gateway.pk).delete()


@transaction.atomic
def remove_dead(*, now: datetime) -> int:
    """Delete processes whose lease has expired, with their connections; return how many
    connections.
    """
    count = 0
    dead = GatewayProcess.objects.select_for_update(skip_locked=True).filter(lease_until__lte=now)
    for gateway in dead:
        connections = _locked_connections(gateway)
        presence.delete_closed(connections, at=gateway.lease_until)
        gateway.delete()
        count += len(connections)
    return count


def _locked_connections(gateway: GatewayProcess) -> list[Connection]:
    connections = Connection.objects.filter(gateway=gateway)
    return list(connections.select_for_update().order_by("pk"))
