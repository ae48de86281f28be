"""Probes: is the process up, and can it do its work? They are public, so they show no more than
what is wrong, and since when.

`ProbeMiddleware` answers them, not the URLconf: load balancers call the IP address of a machine,
without TLS and with a Host header that is not in ALLOWED_HOSTS.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from applications import redis_client
from applications.supervised import cannot_stay_up
from moderation import conditions, figures
from moderation.figures import Work
from rollcall import faults, schema
from rollcall.metrics import metrics

TIMEOUT = 1  # seconds for the broker to answer


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up. Checks nothing else: a lost database must not restart it."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """The state of each part that the console needs; 503 unless all are well. `faults` repeats in
    words what is wrong, and since when.
    """
    found = checks(timezone.now())
    wrong = in_words(found)
    status = 503 if wrong else 200
    return JsonResponse({"ready": not wrong, "faults": wrong, "checks": found}, status=status)


def checks(now: datetime) -> dict[str, dict[str, Any]]:
    """Each part by name. A fault that begins or is over is a line in the log."""
    found = {
        "database": _check("database", _database, now),
        "broker": _check("broker", _broker, now),
        "rate_limits": _check("rate_limits", _rate_limits, now),
        "disk": _check("disk", partial(_condition, "disk"), now),
    }
    if (cannot := cannot_stay_up()) is not None:
        found["processes"] = _dated("processes", {"ok": not cannot, "cannot_stay_up": cannot}, now)
    of_the_database: dict[str, Callable[[], dict[str, Any]]] = {
        "migrations": _migrations,
        **{
            name: partial(_condition, name)
            for name in conditions.CONDITIONS
            if name in ("clock", "writes", "standby")
        },
        **{name: partial(_work, look, now) for name, look in figures.WORK.items()},
    }
    of_redis = {"shared_redis": partial(_condition, "shared_redis")}
    # A host that vanished answers nothing until a timeout, so wait for it only once.
    for store, parts in (("database", of_the_database), ("broker", of_redis)):
        for name, look in parts.items():
            well = found[store]["ok"]
            found[name] = _check(name, look, now) if well else {"ok": False, "error": f"no {store}"}
    return found


def in_words(found: dict[str, dict[str, Any]]) -> list[str]:
    return [
        f"{check.get('wrong') or _WRONG[name]} (since {check['since']})"
        for name, check in found.items()
        if "since" in check
    ]


PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


class ProbeMiddleware:
    """Comes before all other middleware, which requires a known Host, HTTPS or a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path_info, self.get_response)
        return answer(request)


def _check(part: str, look: Callable[[], dict[str, Any]], now: datetime) -> dict[str, Any]:
    try:
        found = look()
    except Exception as error:
        # The text of an error may contain addresses and passwords; its class does not.
        found = {"ok": False, "error": type(error).__name__}
        found |= {"wrong": _WRONG.get(part, f"{part} cannot be looked at")}
    return _dated(part, found, now)


def _dated(part: str, found: dict[str, Any], now: datetime) -> dict[str, Any]:
    """With `since`, if it is not well."""
    if found["ok"]:
        faults.over(part)
        return found
    wrong = found.get("wrong") or _WRONG[part]
    began = faults.since(part, wrong, now=now)
    since = found.pop("since", None) or began
    return found | {"since": since.isoformat(timespec="seconds")}


# What is wrong if this part is not well. Background work says it itself.
_WRONG = {
    "database": "The database does not answer",
    "broker": "Redis does not answer: tasks run late, gateways poll for kicks",
    "rate_limits": "The rate limits are off: their counters cannot be reached",
    "migrations": "The database is not migrated to this version",
    "processes": "A process dies again and again; its log says why",
}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _condition(name: str) -> dict[str, Any]:
    fault = conditions.CONDITIONS[name](timezone.now())
    return {"ok": True} if fault is None else {"ok": False, "wrong": fault}


def _broker() -> dict[str, Any]:
    with redis_client.connect(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT
    ) as redis:
        return {"ok": bool(redis.ping())}


def _rate_limits() -> dict[str, Any]:
    """Without the counters the Server API works without rate limits."""
    cache.get("health")
    return {"ok": True}


def _work(look: Callable[[datetime], Work], now: datetime) -> dict[str, Any]:
    work = look(now)
    found: dict[str, Any] = {"ok": work.is_well, "late_seconds": round(work.late.total_seconds())}
    if work.last_run is not None:
        found["last_run"] = work.last_run
    return found if work.is_well else found | {"wrong": work.wrong, "since": work.since}


def _migrations() -> dict[str, Any]:
    """A newer version may have migrated the database: this one still works, for an upgrade."""
    behind, ahead = schema.apart()
    return {"ok": not behind, "behind": behind, "ahead": ahead}
