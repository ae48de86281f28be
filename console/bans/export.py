"""The ledger of bans as CSV."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.models import Environment
from console.access import MemberRequest, in_environment
from console.bans.views import listed
from console.exports import csv_file
from moderation.models import Ban
from users import kick_reports

EXPORT_AT_MOST = 10_000
AT_ONCE = 2_000
COLUMNS = (
    *("user_id", "reason", "imposed_at", "imposed_by", "imposed_via", "banned_since"),
    *("expires_at", "outcome", "closed_at", "closed_by", "closed_via", "connections_closed"),
)


@require_safe
@in_environment(Permission.VIEW)
def ban_export(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The bans that the page's tab and filters find, in its order. `connections_closed`: how many
    connections of the user the ban closed; only bans of the last `kick_reports.KEPT` have it.
    """
    bans, tab = listed(request, environment, timezone.now())
    found = bans.order_by(*tab.order.columns)[:EXPORT_AT_MOST]
    name = f"bans-{environment.application.org_name}-{environment.kind}.csv"
    return csv_file(name, COLUMNS, _rows(environment, found.iterator(chunk_size=AT_ONCE)))


def _rows(environment: Environment, bans: Iterator[Ban]) -> Iterator[list[Any]]:
    while batch := list(islice(bans, AT_ONCE)):
        closed = kick_reports.closed_at_moments(
            environment=environment, moments=[ban.imposed_at for ban in batch]
        )
        for ban in batch:
            yield [
                ban.user_id,
                ban.reason,
                ban.imposed_at.isoformat(),
                ban.imposed_by,
                ban.imposed_via,
                ban.banned_since.isoformat(),
                ban.expires_at.isoformat() if ban.expires_at else "permanent",
                ban.get_outcome_display(),
                ban.closed_at.isoformat() if ban.closed_at else "",
                ban.closed_by,
                ban.closed_via,
                closed.get((ban.user_id, ban.imposed_at), ""),
            ]
