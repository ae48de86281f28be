"""`make demo`: the whole product on this machine, with nothing else to install.

It adds sample data to an empty database and never changes another one. Logs go to files, so that
the terminal keeps showing what a new user needs: address, sign-in, keys.
"""

import os
from collections.abc import Iterator
from threading import Thread
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from applications import app_secrets, metrics
from applications.models import Application, Environment
from rollcall import forks, logs
from rollcall.checks import SETTINGS
from rollcall.demo import sample_data
from rollcall.listening import why_not_listen
from rollcall.orphans import Taken
from rollcall.processes import BEAT, WORKER, CannotStayUp, Process, Supervisor, forked
from rollcall.setpriv import NeedsSetpriv
from rollcall.stores import StoreError, postgres, valkey
from rollcall.stores.places import Server

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Start stores, web, worker and beat on this machine. Adds sample data if there is none."
    requires_system_checks = (SETTINGS,)  # the others run while web starts

    def handle(self, **_options: Any) -> None:
        try:
            with Supervisor(say=self.say, cleanup=settings.STORES.remove_sockets) as supervisor:
                self.run(supervisor)
        except Taken as error:
            raise CommandError(
                f"A demo is already running in {settings.DATA_DIR}. To start another one, set "
                f"DATA_DIR and PORT: DATA_DIR=other PORT={settings.PORT + 1} make demo"
            ) from error
        except (CannotStayUp, NeedsSetpriv, StoreError) as error:
            raise CommandError(str(error)) from error

    def run(self, supervisor: Supervisor) -> None:
        host, port = settings.HOST, settings.PORT
        if obstacle := why_not_listen(host, port):
            raise CommandError(
                f"Cannot listen on {host}, port {port}: {obstacle}. "
                f"Set PORT to another one: PORT={port + 1} make demo"
            )
        for server in self.start_stores(supervisor):
            server.wait_until_ready(supervisor.coming_up)
        if not supervisor.running():
            return
        facts = self.prepare()
        self.let_webhooks_call_the_demo()
        metrics.start_anew()
        forks.prepare("gateway.app", "rollcall.urls")  # `rollcall.asgi` changes settings
        # Web first and alone, because the user waits for the page.
        self.start(supervisor, forked("web", "rollcall.asgi"))
        self.check()
        status = supervisor.wait_for_page(host, port)
        if status is None:
            return
        if status >= 500:
            log = settings.DATA_DIR / "log" / "web.log"
            raise CommandError(f"The page fails. The last lines of {log}:\n{logs.last_lines(log)}")
        for name, command in {"worker": WORKER, "beat": BEAT, "life": "rollcall.demo.life"}.items():
            self.start(supervisor, forked(name, command))
        self.say(f"\nRollcall is running.\n\n{facts}\n\nCtrl-C stops it.")
        # The files of a new database were created without waiting for the disk.
        Thread(target=os.sync, daemon=True).start()
        supervisor.wait()
        self.say("\nStopping ... (Ctrl-C again stops it at once)")

    def start_stores(self, supervisor: Supervisor) -> list[Server]:
        """Start the stores whose URL is not set. Returns at once: they need time to come up."""
        servers = []
        if settings.EMBEDDED_STORES:
            settings.STORES.prepare()
        for name, store in (("REDIS_URL", valkey), ("DATABASE_URL", postgres)):
            if name not in settings.EMBEDDED_STORES:
                continue
            if store is postgres and not settings.STORES.has_database:
                self.say("Creating a database ...")
            server = store.server(settings.STORES)
            server.clear()
            servers.append(server)
            self.start(
                supervisor,
                Process(
                    server.name,
                    tuple(server.command),
                    stop_signal=server.stop_signal,
                    is_store=True,
                    environment=server.environment,
                ),
            )
        return servers

    def start(self, supervisor: Supervisor, process: Process) -> None:
        supervisor.start(process, log=settings.DATA_DIR / "log" / f"{process.name}.log")

    def prepare(self) -> str:
        """Migrate the database and add sample data if it is empty; return the facts to print."""
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            # Only if needed: `migrate` without work takes half a second of every start.
            call_command("migrate", verbosity=0, interactive=False)
        if not Application.objects.exists():
            self.say("Creating sample data ...")
            with transaction.atomic():  # an interrupted run leaves the database empty
                call_command("demo_data")
        return "\n".join(f"  {name:<12} {value}" for name, value in _facts())

    def let_webhooks_call_the_demo(self) -> None:
        """Only if nobody else reaches the demo: its members could call whatever this machine can.
        A setting of one's own stays.
        """
        if "WEBHOOKS_MAY_BE_LOCAL" not in os.environ and settings.HOST in LOOPBACK:
            settings.WEBHOOKS_MAY_BE_LOCAL = True
            os.environ["WEBHOOKS_MAY_BE_LOCAL"] = "true"  # where children are not forks

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _facts() -> Iterator[tuple[str, str]]:
    """(label, value) of each line that a new user needs."""
    host = settings.HOST if settings.HOST not in ("0.0.0.0", "::") else "localhost"  # noqa: S104
    yield "Address", f"http://{host}:{settings.PORT}/"
    if get_user_model().objects.filter(username=sample_data.USERNAME).exists():
        yield "Sign in", f"{sample_data.USERNAME} / {sample_data.password()}"
    application = Application.objects.order_by("pk").first()
    for environment in Environment.objects.filter(application=application).order_by("kind"):
        secret = environment.secrets.live().order_by("pk").last()
        assert secret is not None  # noqa: S101 - an environment has one or two
        yield environment.kind.title(), f"app key     {environment.app_key}"
        yield "", f"app secret  {app_secrets.text(secret)}"
    yield "Data, logs", str(settings.DATA_DIR)
