"""For machines: is the process up, and can it do its work? Open to everybody, so nothing here says
more than yes, no, and since when.

`ProbeMiddleware` answers, and not the URLconf: load balancers call by the address of a machine,
without TLS and with a Host that is in no ALLOWED_HOSTS.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis

from applications.supervised import cannot_stay_up
from moderation import ban_sweep
from users import deactivation

PATIENCE = 1  # seconds a part may take to answer


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a lost database does not restart it."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part that the console needs, and 503 unless all of them are well."""
    checks = {
        "database": _check(_database),
        "broker": _check(_broker),
        "rate_limits": _check(_rate_limits),
    }
    # A pool waits long for a lost database; once is enough.
    well = checks["database"]["ok"]
    if (cannot := cannot_stay_up()) is not None:
        checks["processes"] = {"ok": not cannot, "cannot_stay_up": cannot}
    for name, look in (("ban_sweep", _ban_sweep), ("erasure", _erasure)):
        checks[name] = _check(look) if well else {"ok": False, "error": "no database"}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


PROBES = {"/healthz": healthz, "/readyz": readyz}


class ProbeMiddleware:
    """Stands before all others, which ask for a known Host, HTTPS or a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path_info, self.get_response)
        return answer(request)


def _check(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return look()
    except Exception as error:
        # The text of an error may hold addresses and passwords; its kind does not.
        return {"ok": False, "error": type(error).__name__}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _broker() -> dict[str, Any]:
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
    ) as redis:
        return {"ok": bool(redis.ping())}


def _rate_limits() -> dict[str, Any]:
    """While the counters are away the Server API's calls go on, unlimited."""
    cache.get("health")
    return {"ok": True}


def _ban_sweep() -> dict[str, Any]:
    health = ban_sweep.sweep_health(now=timezone.now())
    return {
        "ok": health.is_well,
        "last_run": health.last_run,
        "most_overdue_seconds": round(health.most_overdue.total_seconds()),
    }


def _erasure() -> dict[str, Any]:
    """Of what deactivated users leave behind. It is given to nobody, however late erasing is."""
    health = deactivation.erasure_health(now=timezone.now())
    return {"ok": health.is_well, "waiting_seconds": round(health.waiting.total_seconds())}
