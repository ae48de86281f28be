"""The first page of an environment: of development its quota, of production its last day."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.counting import count
from applications.models import AuditEvent, Environment
from applications.supervised import cannot_stay_up
from console import responses
from console.access import MemberRequest, in_environment
from console.audit.sentences import groups, lines
from console.environment import last_day
from moderation import ban_sweep
from moderation.models import Ban
from users import deactivation, presence, quota
from users.models import DeactivatedUser

CHART_DAYS = 30
RECENT = 6
LOOKED_AT = 60  # an import writes a line for each user; they are one change
SOON = timedelta(hours=24)


@require_safe
@in_environment(Permission.VIEW)
def environment(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The whole page, or for htmx only the part that refreshes itself."""
    context = _live(environment) | {"host": request.build_absolute_uri("/").rstrip("/")}
    if not request.headers.get("HX-Request"):
        now = timezone.now()
        context["registrations"] = quota.registrations_per_day(
            environment=environment, now=now, days=CHART_DAYS
        )
    return responses.shown(
        request,
        "console/environment/index.html",
        context,
        fragment="console/environment/_live.html",
    )


def _live(environment: Environment) -> dict[str, Any]:
    now = timezone.now()
    usage = quota.usage(environment=environment, now=now)
    in_force = Ban.objects.in_force(now).filter(environment=environment)
    recent = AuditEvent.objects.filter(environment=environment).order_by("-at", "-id")
    online = presence.online_count(environment=environment, now=now)
    leads = {}
    if not environment.is_development:
        leads["charts"] = list(last_day.charts(environment=environment, online=online, now=now))
    return leads | {
        "usage": usage,
        "full_in": usage.full_in_days and timedelta(days=usage.full_in_days),
        "banned": count(in_force),
        "ending_soon": count(in_force.filter(ends_at__lte=now + SOON)),
        "online": online,
        "deactivated": count(DeactivatedUser.objects.filter(environment=environment)),
        "sweep": ban_sweep.sweep_health(now=now),
        "cannot_stay_up": cannot_stay_up(),
        "erasure": deactivation.erasure_health(now=now),
        "recent": groups(lines(recent[:LOOKED_AT]))[:RECENT],
    }
