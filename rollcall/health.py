"""Probes: is the process up, and can it do its work? They are public, so they show no more than
yes, no, and since when.

`ProbeMiddleware` answers them, not the URLconf: load balancers call the IP address of a machine,
without TLS and with a Host header that is not in ALLOWED_HOSTS.
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

from applications import audit_seals
from applications.supervised import cannot_stay_up
from moderation import ban_sweep
from users import deactivation, lease_sweep

TIMEOUT = 1  # seconds for the broker to answer


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up. Checks nothing else: a lost database must not restart it."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """The state of each part that the console needs; 503 unless all are well."""
    checks = {
        "database": _check(_database),
        "broker": _check(_broker),
        "rate_limits": _check(_rate_limits),
    }
    # A host that vanished answers nothing until a timeout, so wait for it only once.
    well = checks["database"]["ok"]
    if (cannot := cannot_stay_up()) is not None:
        checks["processes"] = {"ok": not cannot, "cannot_stay_up": cannot}
    for name, look in _OF_THE_DATABASE.items():
        checks[name] = _check(look) if well else {"ok": False, "error": "no database"}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


PROBES = {"/healthz": healthz, "/readyz": readyz}


class ProbeMiddleware:
    """Comes before all other middleware, which requires a known Host, HTTPS or a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path_info, self.get_response)
        return answer(request)


def _check(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return look()
    except Exception as error:
        # The text of an error may contain addresses and passwords; its class does not.
        return {"ok": False, "error": type(error).__name__}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _broker() -> dict[str, Any]:
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT
    ) as redis:
        return {"ok": bool(redis.ping())}


def _rate_limits() -> dict[str, Any]:
    """Without the counters the Server API works without rate limits."""
    cache.get("health")
    return {"ok": True}


def _ban_sweep() -> dict[str, Any]:
    health = ban_sweep.sweep_health(now=timezone.now())
    return {
        "ok": health.is_well,
        "last_run": health.last_run,
        "most_overdue_seconds": round(health.most_overdue.total_seconds()),
    }


def _leases() -> dict[str, Any]:
    """The sweep that deletes test users whose lease has ended."""
    health = lease_sweep.health(now=timezone.now())
    return {
        "ok": health.is_well,
        "most_overdue_seconds": round(health.most_overdue.total_seconds()),
    }


def _erasure() -> dict[str, Any]:
    """Erasure of deactivated users' data. Nobody gets this data, even if erasure is late."""
    health = deactivation.erasure_health(now=timezone.now())
    return {"ok": health.is_well, "waiting_seconds": round(health.waiting.total_seconds())}


def _audit_seals() -> dict[str, Any]:
    health = audit_seals.seal_health(now=timezone.now())
    return {
        "ok": health.is_well,
        "last_seal": health.last,
        "waiting_seconds": round(health.waiting.total_seconds()),
    }


_OF_THE_DATABASE = {
    "ban_sweep": _ban_sweep,
    "leases": _leases,
    "erasure": _erasure,
    "audit_seals": _audit_seals,
}
