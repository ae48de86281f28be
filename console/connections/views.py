"""The list of open connections, and the button that closes one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from applications.access import Permission
from applications.counting import count
from applications.keyset import Keyset
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import came_from, gateway_url, page_url
from users import identity, presence
from users.fields import begins_with
from users.models import AppUser, Connection

# Ids increase in the order of admission, so the newest connection has the highest id.
NEWEST_FIRST = Keyset("-id")
BY_USER = Keyset("user_id", "id")


@dataclass(frozen=True)
class Row:
    """A connection and its user's name. `has_more`: the page shows another connection of that
    user.
    """

    connection: Connection
    name: str
    has_more: bool

    @property
    def kick_label(self) -> str:
        device = self.connection.device or self.connection.platform or gettext("an unknown device")
        return gettext("Kick {user_id} on {device}").format(
            user_id=self.connection.user_id, device=device
        )

    @property
    def kick_all_label(self) -> str:
        return gettext("Kick all connections of {user_id}").format(user_id=self.connection.user_id)


@require_safe
@in_environment(Permission.VIEW)
def connection_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The connections of gateway processes that are alive. The others have ended."""
    now = timezone.now()
    prefix = request.GET.get("q", "").strip()
    possible = not prefix or identity.is_prefix(prefix)
    alive = Connection.objects.alive(now).filter(environment=environment).select_related("gateway")
    if prefix:
        alive = alive.filter(begins_with(prefix)) if possible else alive.none()
    page = responses.page(request, of=alive, order=BY_USER if prefix else NEWEST_FIRST)
    context = {
        "prefix": prefix,
        "possible": possible,
        "connections": page,
        "rows": _rows(environment, page.rows),
        "total": count(alive),
        "gateway_url": gateway_url(request),
    }
    return responses.shown(
        request,
        "console/connections/index.html",
        context,
        fragment="console/connections/_list.html",
    )


def _rows(environment: Environment, connections: Sequence[Connection]) -> list[Row]:
    counts = Counter(connection.user_id for connection in connections)
    users = AppUser.objects.in_environment(environment).filter(user_id__in=counts)
    names = dict(users.values_list("user_id", "name"))
    return [
        Row(each, names.get(each.user_id, ""), counts[each.user_id] > 1) for each in connections
    ]


@require_POST
@in_environment(Permission.MODERATE)
def connection_kick(
    request: MemberRequest, environment: Environment, connection_id: int
) -> HttpResponse:
    """Close the connection of one device. The user can connect again at once."""
    closed = presence.kick_connection(
        environment=environment,
        connection_id=connection_id,
        by=acting_staff(request),
        now=timezone.now(),
    )
    message = (
        gettext("The connection will close now")
        if closed
        else gettext("This connection is already closed")
    )
    back = came_from(request, page_url(environment, "connections:index"))
    return responses.done(request, message, to=back, events=["connections-changed"])
