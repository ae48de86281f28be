"""`make serve`: the production processes under one supervisor, which log to this terminal.

This is all that one machine needs. For several machines, run `serve` on each with the same stores:
sweeps that run twice do no harm.
"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rollcall import collected, forks, unreachable
from rollcall.listening import why_not_listen
from rollcall.orphans import Taken
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
        host, port = settings.HOST, settings.PORT
        granian = (
            f"granian --interface wsgi --host {host} --port {port} --no-ws"
            f" --workers {settings.WEB_WORKERS} --blocking-threads {settings.WEB_THREADS}"
            " rollcall.wsgi:application"
        )
        forks.prepare("rollcall.wsgi", "gateway.app")
        commands = {"web": granian, "gateway": "gateway", "worker": WORKER, "beat": BEAT}
        for name, command in commands.items():
            supervisor.start(forked(name, command))
        supervisor.wait()

    def refuse_what_cannot_work(self) -> None:
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
        call_command("check", deploy=True)

    def refuse_old_tables(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError(
                "(serve.6) The database is not migrated to this version. "
                "Back it up, then run: manage.py serve --migrate"
            )
