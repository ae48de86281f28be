"""`python -m bench pages`: the cost of each page with a thousand users, and with a million.

Django's test client requests pages and calls in this process: each once to warm up, once to count
its queries, then ten times for the shortest time. This shows which costs grow with the data.
Environment variables: USERS; DATABASE_URL and REDIS_URL as for `bench.api`.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import Model, QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.environments import NewApplication
from applications.keyset import Keyset
from applications.models import AuditEvent, Environment, Plan
from bench import calls
from bench.machine import database, machine, refuse_database_in_use
from console.audit import views as audit
from console.bans.views import TABS
from console.deactivated import views as deactivated
from console.users import views as users_views
from moderation import lists
from moderation.models import BlocklistEntry
from users.models import AppUser, Connection, DeactivatedUser, GatewayProcess

SMALL = 1_000
COLUMNS = "{:<36}{:>10}{:>11}{:>10}{:>11}"


@dataclass(frozen=True)
class Cost:
    queries: int
    milliseconds: float


def main() -> None:
    users = int(os.environ.get("USERS", "1000000"))
    print(machine())
    logging.disable(logging.INFO)
    app, client = prepared()
    costs = [costs_at(size, app, client) for size in (SMALL, users)]
    print(f"{database()}.\n")
    print(COLUMNS.format("", "queries", "", "ms", ""))
    print(COLUMNS.format("users", *2 * (f"{SMALL:,}", f"{users:,}")))
    for name, few in costs[0].items():
        many = costs[1][name]
        print(
            COLUMNS.format(
                name,
                *(few.queries, many.queries),
                *(f"{few.milliseconds:.1f}", f"{many.milliseconds:.1f}"),
            )
        )
    print(f"\nLoad average at the end: {os.getloadavg()[0]:.1f}.")


def prepared() -> tuple[NewApplication, Client]:
    """A new application, and a client that is signed in as its owner and a superuser."""
    refuse_database_in_use()
    owner = get_user_model().objects.create_superuser("bench")
    app = environments.create_application(
        name="Bench", plan=Plan.PRO, owner=owner, by=Actor.system("bench"), now=timezone.now()
    )
    calls.prepare(app)
    client = Client(headers={"host": calls.HOST})
    client.force_login(owner)
    return app, client


def costs_at(size: int, app: NewApplication, client: Client) -> dict[str, Cost]:
    environment, now = app.environments["production"], timezone.now()
    grow(environment, size, now)
    found = {name: cost(lambda url=url: client.get(url)) for name, url in pages(environment, now)}
    for case in calls.cases(app, bans=size // 10):
        found[f"API: {case.name}"] = cost(Repeated(case))
    return found


class Repeated:
    """Makes the calls of a case, each time with the next number."""

    def __init__(self, case: calls.Case) -> None:
        self._case = case
        self._number = case.sample if case.numbers else time.time_ns() // 1000

    def __call__(self) -> None:
        self._number += 1
        for call in self._case.calls:
            call.make(self._number)


def cost(request: Callable[[], Any]) -> Cost:
    response = request()
    if response is not None and response.status_code != 200:
        raise SystemExit(f"{response.request['PATH_INFO']}: {response.status_code}")
    with CaptureQueriesContext(connection) as queries:
        request()
    counted = len(queries)  # before the next request clears the log
    took = []
    for _ in range(10):
        begun = time.perf_counter()
        request()
        took.append(time.perf_counter() - begun)
    return Cost(counted, 1000 * min(took))


def grow(environment: Environment, size: int, now: datetime) -> None:
    """Add users up to `size`, and a tenth as many bans, list entries, tombstones, connections."""
    tenth = size // 10
    call_command(
        "seed",
        app_key=environment.app_key,
        users=size,
        bans=tenth,
        blocked=tenth,
        stdout=StringIO(),
    )
    DeactivatedUser.objects.filter(environment=environment).delete()
    DeactivatedUser.objects.bulk_create(
        (
            DeactivatedUser(
                environment=environment,
                user_id=f"gone-{number}",
                deactivated_at=now - timedelta(seconds=number),
                deactivated_by="bench",
                via="bench",
                operation_id="1",
                was_registered=True,
                erased_at=now,
            )
            for number in range(tenth)
        ),
        batch_size=5_000,
    )
    GatewayProcess.objects.all().delete()
    gateway = GatewayProcess.objects.create(
        name="bench", started_at=now, lease_until=now + timedelta(days=1)
    )
    Connection.objects.bulk_create(
        (
            Connection(
                gateway=gateway,
                environment=environment,
                user_id=f"seed-{10 * number + 1:07}",
                connected_at=now,
            )
            for number in range(tenth)
        ),
        batch_size=5_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def pages(environment: Environment, now: datetime) -> list[tuple[str, str]]:
    place = {"org_name": environment.application.org_name, "kind": environment.kind}

    def page_url(name: str, **query: str) -> str:
        return reverse(name, kwargs=place, query=query)

    def user_url(name: str) -> str:
        return reverse(name, kwargs={**place, "user_id": "seed-0000001"})

    users = AppUser.objects.in_environment(environment)
    bans = environment.bans.all()
    audited = AuditEvent.objects.filter(environment=environment)
    gone = DeactivatedUser.objects.filter(environment=environment)
    blocked = BlocklistEntry.objects.filter(environment=environment)
    connected = Connection.objects.filter(environment=environment)
    in_force = TABS["in_force"]
    admin = [
        (f"admin: {model._meta.verbose_name_plural}", model)
        for model in (AppUser, DeactivatedUser, Connection, AuditEvent, BlocklistEntry)
    ]
    return [
        ("overview", reverse("overview:index")),
        ("environment", page_url("environment:index")),
        ("users", page_url("users:index")),
        (
            "users, at the end",
            page_url("users:index", cursor=at_the_end(users_views.NEWEST_FIRST, users)),
        ),
        ("users by prefix", page_url("users:index", q="seed-00005")),
        ("users never connected", page_url("users:index", tab="never")),
        ("users online", page_url("users:index", tab="online")),
        ("users banned", page_url("users:index", tab="banned")),
        ("user", user_url("users:detail")),
        ("user, moderation", user_url("users:moderation")),
        ("connections", page_url("connections:index")),
        (
            "connections, at the end",
            page_url("connections:index", cursor=at_the_end(Keyset("-id"), connected)),
        ),
        ("quota", page_url("quota:index")),
        ("bans", page_url("bans:index")),
        ("bans, at the end", page_url("bans:index", cursor=at_the_end(in_force.order, bans))),
        ("bans, all", page_url("bans:index", tab="all")),
        ("bans, lifted", page_url("bans:index", tab="lifted")),
        ("lists", page_url("lists:index")),
        (
            "lists, at the end",
            page_url("lists:index", cursor=at_the_end(lists.NEWEST_FIRST, blocked)),
        ),
        ("lists, of an owner", page_url("lists:index", owner=calls.OWNER)),
        (
            "may A write to B?",
            page_url("why:index", q="seed-0000002", to="seed-0000001"),
        ),
        ("deactivated", page_url("deactivated:index")),
        (
            "deactivated, at the end",
            page_url("deactivated:index", cursor=at_the_end(deactivated.NEWEST_FIRST, gone)),
        ),
        ("audit", page_url("audit:index")),
        (
            "audit, at the end",
            page_url("audit:index", cursor=at_the_end(audit.NEWEST_FIRST, audited)),
        ),
        ("keys", page_url("keys:index")),
        ("members", page_url("members:index")),
        ("settings", page_url("settings:index")),
        *((name, admin_url(model)) for name, model in admin),
        *((f"{name}, search", admin_url(model) + "?q=seed-00005") for name, model in admin),
    ]


def admin_url(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def at_the_end(order: Keyset, rows: "QuerySet[Any]") -> str:
    """A cursor near the end of the list."""
    backwards = [name.removeprefix("-") for name in order.columns]
    if not order.columns[0].startswith("-"):
        backwards = [f"-{name}" for name in backwards]
    last = list(rows.order_by(*backwards).values_list("pk", flat=True)[10:12])
    return order.page(rows.filter(pk__in=last), size=1).next or ""
