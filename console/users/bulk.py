"""What staff do with the selected users, and the export of the filtered ones."""

from typing import Any

from django.db.models import Exists, OuterRef, Subquery
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.exports import csv_file
from console.forms import MAX_AT_ONCE
from console.links import came_from, page_url
from console.users.views import listed
from moderation.models import Ban
from users import identity, presence
from users.models import AppUser, Connection

EXPORT_AT_MOST = 10_000
COLUMNS = ("user_id", "name", "registered_at", "last_seen_at", "online", "banned", "banned_until")


@require_POST
@in_environment(Permission.MODERATE)
def users_kick(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Close the connections of the selected users."""
    back = came_from(request, page_url(environment, "users:index"))
    user_ids = request.POST.getlist("user_id")
    if not 0 < len(user_ids) <= MAX_AT_ONCE:
        reason = f"Select 1 to {MAX_AT_ONCE} users to disconnect."
        return responses.refused(request, reason, back=back)
    try:
        count = presence.kick_several(
            environment=environment,
            user_ids=identity.check_user_ids(user_ids),
            by=acting_staff(request),
            now=timezone.now(),
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, f"{error}.", back=back)
    message = (
        f"{count} connection{'' if count == 1 else 's'} will close now"
        if count
        else "None of the selected users has an open connection"
    )
    events = ["users-changed", "connections-changed"]
    return responses.done(request, message, to=back, events=events)


@require_safe
@in_environment(Permission.VIEW)
def users_export(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The users that the page's filters find, in its order, as CSV."""
    now = timezone.now()
    users, listing = listed(request, environment, now)
    bans = Ban.objects.in_force(now).filter(
        environment=OuterRef("environment"), user_id=OuterRef("user_id")
    )
    online = Connection.objects.open(now).filter(
        environment=OuterRef("environment"), user_id=OuterRef("user_id")
    )
    found = users.annotate(
        is_online=Exists(online),
        is_banned=Exists(bans),
        ban_ends=Subquery(bans.values("expires_at")[:1]),
    ).order_by(*listing.keyset.columns)[:EXPORT_AT_MOST]
    name = f"users-{environment.application.org_name}-{environment.kind}.csv"
    return csv_file(name, COLUMNS, map(_row, found.iterator(chunk_size=2_000)))


def _row(user: AppUser) -> list[Any]:
    found: Any = user  # with the annotations
    ends = found.ban_ends.isoformat() if found.ban_ends else "permanent"
    return [
        user.user_id,
        user.name,
        user.registered_at.isoformat(),
        user.last_seen_at.isoformat() if user.last_seen_at else "",
        "yes" if found.is_online else "no",
        "yes" if found.is_banned else "no",
        ends if found.is_banned else "",
    ]
