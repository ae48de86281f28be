"""`python -m bench api`, or `make bench`: the Server API over HTTP, beside what is possible.

Every call is measured in turn with 1, 16 and 64 clients against

* the reference: pgbench with the statements of `bench.reference`, without HTTP;
* bare: WSGI and psycopg without a framework (`bench.bare`), with as many workers and threads;
* ejabberd, where Debian's package is installed (`bench.ejabberd`);
* Rollcall, started by `manage.py serve`, with a seeded production environment and no rate limits.

Environment variables: USERS, SECONDS (for each figure), ROUNDS (medians are printed), CLIENTS, ONLY
(part of the names of calls); DATABASE_URL of an empty database and REDIS_URL replace the wheels.
"""

import logging
import os
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.environments import NewApplication
from applications.models import Plan
from bench import calls, ejabberd, load, reference, stores
from bench.calls import KNOWN, Call, Case
from bench.load import Load
from bench.machine import database, machine, refuse_database_in_use, web_seconds
from bench.stores import free_port
from rollcall.processes import CannotStayUp, Supervisor, module

JSON = {"Content-Type": "application/json"}
# What others do for the case of this name, by HTTP.
BARE = {
    "register": Case("register", [Call("POST", "/register", "user=new-%d&name=Ada")]),
    "ban, unban": Case(
        "ban, unban",
        [
            Call("POST", "/ban", "user=user-%d&minutes=60"),
            Call("POST", "/lift", "user=user-%d"),
        ],
        KNOWN,
    ),
}
_ACCOUNT = '{"user": "%s-%%d", "host": "localhost", "%s": "pw"}'
EJABBERD = {
    "register": Case(
        "register", [Call("POST", "/api/register", _ACCOUNT % ("new", "password"), JSON)]
    ),
    "ban, unban": Case(
        "ban, unban",
        [
            Call("POST", "/api/ban_account", _ACCOUNT % ("user", "reason"), JSON),
            Call("POST", "/api/change_password", _ACCOUNT % ("user", "newpass"), JSON),
        ],
        KNOWN,
    ),
}
HEAD = (
    f"{'':<22}{'clients':>8} | {'of reference':>12}{'of bare':>9}{'of ejabberd':>12} |"
    f" {'calls/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}{'load':>6} |"
    f" {'reference':>10}{'bare':>8}{'ejabberd':>9}"
)


def main() -> None:
    users = int(os.environ.get("USERS", "100000"))
    bans = users // 10
    print(machine())
    logging.disable(logging.INFO)  # in this process; web logs as in production
    app = seeded(users=users, bans=bans)
    reference.create(users=max(users, KNOWN[1] + 1 + bans), bans=bans)
    print(
        f"{users:,} users, {bans:,} of them banned. {database()}. {settings.WEB_WORKERS} web "
        f"workers with {settings.WEB_THREADS} threads."
    )
    folder = settings.DATA_DIR / "bench"  # `serve` uses the data folder itself
    folder.mkdir()
    try:
        with Supervisor(folder=folder) as supervisor:
            supervisor.start(module("serve", "manage serve"), log=settings.DATA_DIR / "serve.log")
            others = {"bare": started_bare(supervisor)}
            others |= started_ejabberd(supervisor, folder, users=users)
            for port in (settings.PORT, *others.values()):
                if supervisor.wait_for_page(settings.HOST, port) is None:
                    return
            measure(calls.cases(app, bans=bans), others)
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


def started_bare(supervisor: Supervisor) -> int:
    """The port of `bench.bare`."""
    port = free_port()
    command = f"rollcall.web --application bench.bare.application --port {port}"
    supervisor.start(module("bare", command, {"BENCH_REFERENCE": reference.address()}))
    return port


def started_ejabberd(supervisor: Supervisor, folder: Path, *, users: int) -> dict[str, int]:
    """Its name and port; empty, and says why, if it cannot be measured."""
    port, why = free_port(), ejabberd.missing()
    if why is None:
        try:
            process = ejabberd.prepared(folder, port=port, users=max(users, KNOWN[1]))
        except psycopg.Error as error:
            why = str(error).strip()
        else:
            supervisor.start(process, log=settings.DATA_DIR / "ejabberd.log")
            return {"ejabberd": port}
    print(f"ejabberd is left out: {why}.")
    return {}


def measure(cases: Sequence[Case], others: Mapping[str, int]) -> None:
    clients = [int(number) for number in os.environ.get("CLIENTS", "1 16 64").split()]
    pgbench = stores.pgbench()
    if pgbench is None:
        print("The reference is left out: pgbench is neither in the wheel nor on PATH.")
    print(f"\n{HEAD}")
    refused: set[str] = set()
    only = os.environ.get("ONLY", "")
    for case in [calls.healthz(), *(case for case in cases if only in case.name)]:
        for number in clients:
            print(row(case, number, others, pgbench, refused), flush=True)
    print(
        "\nof ...: our calls a second, divided by theirs. CPU ms: CPU time of our web workers for "
        "each call. load: share\nof a core that the load generator used. p50 and p99 are ours. "
        f"Load average at the end: {os.getloadavg()[0]:.1f}."
    )
    if refused:
        raise SystemExit("\n".join(["Refused:", *sorted(refused)]))


def row(
    case: Case, number: int, others: Mapping[str, int], pgbench: str | None, refused: set[str]
) -> str:
    """One line of the table. Each round visits everybody once: drift of the machine hits all."""
    seconds = float(os.environ.get("SECONDS", "3"))
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(int(os.environ.get("ROUNDS", "1"))):
        spent_before = web_seconds()
        ours = loaded(case, settings.PORT, number, seconds)
        spent = 1000 * (web_seconds() - spent_before) / ours.calls
        refused |= {f"{case.name}: {line}" for line in ours.refused}
        for name in ("per_second", "p50", "p99", "busy"):
            found[name].append(getattr(ours, name))
        found["spent"].append(spent)
        for other, theirs in (("bare", BARE), ("ejabberd", EJABBERD)):
            if other in others and case.name in theirs:
                made = loaded(theirs[case.name], others[other], number, seconds)
                refused |= {f"{other}, {case.name}: {line}" for line in made.refused}
                found[other].append(made.per_second)
        if pgbench and (script := reference.SCRIPTS.get(case.name)):
            rate = reference.per_second(pgbench, script, clients=number, seconds=seconds)
            found["reference"].append(rate * len(case.calls))
    rates = {name: statistics.median(values) for name, values in found.items()}
    ratio = {
        name: f"{rates['per_second'] / rates[name]:.2f}" if name in rates else ""
        for name in ("reference", "bare", "ejabberd")
    }
    rate_of = {name: f"{rates[name]:,.0f}" if name in rates else "" for name in ratio}
    return (
        f"{case.name:<22}{number:>8} | "
        f"{ratio['reference']:>12}{ratio['bare']:>9}{ratio['ejabberd']:>12} | "
        f"{rates['per_second']:>8,.0f}{rates['p50']:>8.1f}{rates['p99']:>8.1f}"
        f"{rates['spent']:>8.2f}{rates['busy']:>6.0%} | "
        f"{rate_of['reference']:>10}{rate_of['bare']:>8}{rate_of['ejabberd']:>9}"
    )


def loaded(case: Case, port: int, clients: int, seconds: float) -> load.Measured:
    return load.run_in_process(
        Load(
            host=settings.HOST,
            port=port,
            clients=clients,
            seconds=seconds,
            requests=[call.wire(case.sample) for call in case.calls],
            numbers=case.numbers,
        )
    )
