"""One run: the world is set up, loaded and treated badly; then both sides are compared."""

import logging
import os
import random
import resource
import threading
import time
from contextlib import ExitStack

from django.contrib.auth import get_user_model
from django.db import connections
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.environments import NewApplication
from applications.models import FREE_USER_LIMIT, Plan
from bench.faults import counts, table
from bench.faults.callers import Callers, Doors, Wire
from bench.faults.chat import Chat
from bench.faults.harm import FAULTS, Fault, Impossible
from bench.faults.ledger import Ledger
from bench.faults.probe import Probe, refusal
from bench.faults.staff import Staff, session
from bench.faults.table import Episode
from bench.faults.world import World
from bench.gateway import number, registered
from bench.gateway.swarm import Account
from bench.machine import database, machine
from transfers.models import ImportJob
from users.models import AppUser

UNTIL_WELL = 60.0  # seconds, then a fault counts as not mended
STAFF = "faults"
TRIED = 100  # tokens of deleted users
failures: list[threading.ExceptHookArgs] = []  # of threads of this process


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.disable(logging.CRITICAL)  # of this process
    threading.excepthook = failures.append
    began = time.monotonic()
    with World() as world:
        print(machine(), f"{database()}.", flush=True)
        app = _application()
        quota, apart = (Doors(app, kind) for kind in ("development", "production"))
        accounts = registered(apart.environment, number("CLIENTS", 500) + 1)
        headers = session(STAFF)
        connections.close_all()
        world.serve()
        if not world.wait(UNTIL_WELL, lambda: Wire().ask("GET", "/readyz")[0] == 200):
            raise SystemExit("The product does not start.")
        quota.sign_in()
        apart.sign_in()
        ledger = Ledger()
        chat = Chat(accounts[1:], ledger)
        with ExitStack() as load:
            load.enter_context(chat)
            probe = load.enter_context(Probe(apart, accounts[0]))
            busy = load.enter_context(ExitStack())
            busy.enter_context(Staff(ledger, headers, quota.environment, apart.environment))
            busy.enter_context(Callers(ledger, chat, quota, apart))
            _settle(world, chat, probe)
            episodes = []
            for fault in chosen():
                if time.monotonic() - began > number("SECONDS", 600):
                    print(f"{fault.name}: no time left", flush=True)
                    continue
                try:
                    episodes.append(_suffer(world, chat, probe, fault))
                except Impossible as error:
                    print(f"{fault.name}: not possible here, {error}", flush=True)
            chat.is_calm = True
            busy.close()
            found = _let_end(world, chat, ledger, quota, apart)
        found += counts.findings(ledger, chat, quota.environment, apart.environment)
    table.show(episodes, ledger, counts.acknowledged(ledger, chat), found)
    if found or any(each.well_after is None for each in episodes):
        raise SystemExit(1)


def _application() -> NewApplication:
    owner = get_user_model().objects.create_superuser(STAFF)
    app = environments.create_application(
        name="Faults", plan=Plan.PRO, owner=owner, by=Actor.system("faults"), now=timezone.now()
    )
    now = timezone.now()
    AppUser.objects.bulk_create(
        AppUser(environment=app.environments["development"], user_id=f"old-{n}", registered_at=now)
        for n in range(FREE_USER_LIMIT - 10)
    )
    return app


def chosen() -> list[Fault]:
    words = os.environ.get("FAULTS", "").split(",")
    return [each for each in FAULTS if any(word in each.name for word in words)]


def _settle(world: World, chat: Chat, probe: Probe) -> None:
    began = time.monotonic()
    if not world.wait(UNTIL_WELL, lambda: probe.well_since(began) and chat.inside > 0):
        raise SystemExit(f"It is not well at the beginning: {probe.wrong(began)}")
    world.wait(number("CALM", 3))


def _suffer(world: World, chat: Chat, probe: Probe, fault: Fault) -> Episode:
    began = time.monotonic()
    with fault.harm(world):
        world.wait(fault.lasts)
    over = time.monotonic()
    world.wait(UNTIL_WELL, lambda: probe.well_since(over))
    well = probe.well_since(over)
    world.wait(number("CALM", 3))
    if failures:
        raise RuntimeError("a part of the load has failed") from failures[0].exc_value
    after = None if well is None else well - over
    print(f"{fault.name}: {'not well' if after is None else f'{after:.1f} s'}", flush=True)
    return Episode(fault.name, began, time.monotonic(), after, probe.wrong(over))


def _let_end(
    world: World, chat: Chat, ledger: Ledger, quota: Doors, apart: Doors
) -> list[counts.Finding]:
    """Those who are banned or deleted stay out; then the bans are lifted, and everybody reads."""
    world.wait(10)
    connections.close_all()
    world.wait(UNTIL_WELL, lambda: not ImportJob.objects.filter(state="running").exists())
    found = counts.bans(ledger, apart.environment)
    for user_id in random.sample(sorted(ledger.deleted), min(TRIED, len(ledger.deleted))):
        token = ledger.tokens.get(user_id)
        account = Account(user_id, token or "", quota.environment.app_key, "")
        if token and not refusal(account):
            found.append(counts.Finding(ledger.deleted[user_id], "let in", f"deleted {user_id}"))
    ledger.banned.clear()
    wire = Wire()
    for user_id in ledger.bans_asked:
        wire.ask(*apart.call("user/unblock", userId=user_id))
    world.wait(UNTIL_WELL, lambda: chat.inside == len(chat.names) and chat.is_quiet)
    world.wait(3)
    return found
