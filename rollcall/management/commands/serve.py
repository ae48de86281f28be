"""`make serve`: the production processes under one supervisor, which log to this terminal.

This is all that one machine needs. For several machines, run `serve` on each with the same stores:
sweeps that run twice do no harm.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from applications import metrics
from rollcall import collected, forks, schema, unreachable
from rollcall.checks import SETTINGS
from rollcall.installation import STORES
from rollcall.listening import why_not_listen
from rollcall.orphans import GRACE, Taken
from rollcall.processes import BEAT, WORKER, Supervisor, forked


class Command(BaseCommand):
    help = "Start web, gateway, worker and beat as in production, on DATABASE_URL and REDIS_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="migrate the database first")

    def handle(self, *, migrate: bool, **_options: Any) -> None:
        try:
            with Supervisor(say=self.stderr.write) as supervisor:
                self.run(supervisor, migrate=migrate)
        except Taken as error:
            raise CommandError(
                f"(serve.8) Rollcall is already running in {settings.DATA_DIR}. "
                "Set DATA_DIR to another folder."
            ) from error

    def run(self, supervisor: Supervisor, *, migrate: bool) -> None:
        self.refuse_what_cannot_work()
        if migrate:
            call_command("migrate", interactive=False)
        self.refuse_old_tables()
        collected.collect()
        metrics.start_anew()
        forks.prepare("rollcall.wsgi", "rollcall.web.server", "gateway.app")
        commands = {"web": "rollcall.web", "gateway": "gateway", "worker": WORKER, "beat": BEAT}
        # What ends last is the gateway, after its clients have been sent away.
        within = max(GRACE, settings.GATEWAY_DRAIN_SECONDS + 4.0)
        for name, command in commands.items():
            supervisor.start(forked(name, command, stop_within=within))
        supervisor.wait()

    def refuse_what_cannot_work(self) -> None:
        if sys.platform != "linux":
            raise CommandError("(serve.9) The web server needs Linux. compose.yaml runs it in one.")
        if "DATABASE_URL" in settings.EMBEDDED_STORES:
            raise CommandError(
                "(serve.1) DATABASE_URL is not set. "
                "Set it, as in DATABASE_URL=postgres://user:password@host:5432/rollcall"
            )
        if "REDIS_URL" in settings.EMBEDDED_STORES:
            raise CommandError(
                "(serve.2) REDIS_URL is not set. Set it, as in REDIS_URL=redis://host:6379/0"
            )
        for name in ("PORT", "GATEWAY_PORT"):
            host, port = settings.HOST, getattr(settings, name)
            if obstacle := why_not_listen(host, port):
                raise CommandError(
                    f"(serve.3) Cannot listen on {host}, port {port}: {obstacle}. "
                    f"Set HOST or {name}."
                )
        if settings.PORT == settings.GATEWAY_PORT:
            raise CommandError("(serve.7) PORT and GATEWAY_PORT are the same; change one of them.")
        if error := unreachable.database_error():
            raise CommandError(f"(serve.4) Cannot connect to DATABASE_URL: {error}")
        if error := unreachable.redis_error():
            raise CommandError(f"(serve.5) Cannot connect to REDIS_URL: {error}")
        call_command("check", deploy=True, tags=[Tags.security, SETTINGS, STORES])

    def refuse_old_tables(self) -> None:
        if schema.behind():
            raise CommandError(
                "(serve.6) The database is not migrated to this version. "
                "Back it up, then run: manage.py serve --migrate"
            )
