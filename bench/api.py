"""`python -m bench api`, or `make bench`: the Server API over HTTP, compared with pgbench.

Seeds a production environment, starts `manage.py serve`, and measures each call with 1, 16 and 64
clients that keep their connections. Rate limits are off. Then pgbench runs the same statements
against the same database, with as many clients. Environment variables: USERS, SECONDS (for each
figure), CLIENTS, ONLY (part of the names of calls); DATABASE_URL of an empty database and REDIS_URL
replace the wheels.
"""

import logging
import os
from collections.abc import Sequence
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.environments import NewApplication
from applications.models import Plan
from bench import calls, load, statements, stores
from bench.calls import Case
from bench.load import Load
from bench.machine import database, machine, refuse_database_in_use, web_seconds
from rollcall.processes import CannotStayUp, Supervisor, module

COLUMNS = "{:<22}{:>8}{:>10}{:>9}{:>9}{:>8}{:>6}{:>11}{:>7}"


def main() -> None:
    users = int(os.environ.get("USERS", "100000"))
    bans = users // 10
    print(machine())
    logging.disable(logging.INFO)  # in this process; web logs as in production
    app = seeded(users=users, bans=bans)
    print(
        f"{users:,} users, {bans:,} of them banned. {database()}. {settings.WEB_WORKERS} web "
        f"workers with {settings.WEB_THREADS} threads."
    )
    log = settings.DATA_DIR / "serve.log"
    folder = settings.DATA_DIR / "bench"  # `serve` uses the data folder itself
    folder.mkdir()
    try:
        with Supervisor(folder=folder) as supervisor:
            supervisor.start(module("serve", "manage serve"), log=log)
            if supervisor.wait_for_page(settings.HOST, settings.PORT) is not None:
                measure(calls.cases(app, bans=bans))
    except CannotStayUp as error:
        raise SystemExit(str(error)) from error


def seeded(*, users: int, bans: int) -> NewApplication:
    """A new application with data in its production environment."""
    refuse_database_in_use()
    app = environments.create_application(
        name="Bench", plan=Plan.PRO, by=Actor.system("bench"), now=timezone.now()
    )
    calls.prepare(app)
    key = app.environments["production"].app_key
    call_command("seed", app_key=key, users=users, bans=bans, stdout=StringIO())
    return app


def measure(cases: Sequence[Case]) -> None:
    seconds = float(os.environ.get("SECONDS", "3"))
    clients = [int(number) for number in os.environ.get("CLIENTS", "1 16 64").split()]
    pgbench = stores.pgbench()
    if pgbench is None:
        print("pgbench is neither in the wheel nor on PATH: no comparison.")
    print()
    print(
        COLUMNS.format(
            "", "clients", "calls/s", "p50 ms", "p99 ms", "CPU ms", "load", "pgbench/s", "ratio"
        )
    )
    refused: set[str] = set()
    only = os.environ.get("ONLY", "")
    for case in [calls.healthz(), *(case for case in cases if only in case.name)]:
        script = statements.script(case) if pgbench else ""
        for number in clients:
            spent_before = web_seconds()
            ours = load.run_in_process(
                Load(
                    host=settings.HOST,
                    port=settings.PORT,
                    clients=number,
                    seconds=seconds,
                    requests=[call.wire(case.sample) for call in case.calls],
                    numbers=case.numbers,
                )
            )
            spent = web_seconds() - spent_before
            refused |= {f"{case.name}: {line}" for line in ours.refused}
            theirs = None
            if pgbench and script:
                theirs = len(case.calls) * statements.transactions_per_second(
                    pgbench, script, clients=number, seconds=seconds
                )
            print(
                COLUMNS.format(
                    case.name,
                    number,
                    f"{ours.per_second:,.0f}",
                    f"{ours.p50:.1f}",
                    f"{ours.p99:.1f}",
                    f"{1000 * spent / ours.calls:.2f}",
                    f"{ours.busy:.0%}",
                    f"{theirs:,.0f}" if theirs else "",
                    f"{ours.per_second / theirs:.2f}" if theirs else "",
                ),
                flush=True,
            )
    print()
    print(
        "CPU ms: CPU time of the web workers for each call. load: share of a core that the load "
        "generator used.\npgbench/s: number of calls whose statements pgbench runs in a second, "
        f"with as many clients.\nLoad average at the end: {os.getloadavg()[0]:.1f}."
    )
    if refused:
        raise SystemExit("\n".join(["Refused:", *sorted(refused)]))
