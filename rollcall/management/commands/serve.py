"""`make serve`: the production set, under one supervisor, logging to this terminal.

One machine needs nothing more. On several, run one `serve` on each: the stores are shared, and
sweeps that run twice do no harm.
"""

import os
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rollcall.processes import BEAT, WORKER, ChildEnded, Process, Supervisor, why_not_listen

# Static files are collected once and served under names that carry their hash.
COLLECTED = {"SERVE_STATIC_FROM_SOURCE": "0"}


class Command(BaseCommand):
    help = "Start web, gateway, worker and beat as in production, on DATABASE_URL and REDIS_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="migrate the database first")

    def handle(self, *, migrate: bool, **_options: Any) -> None:
        self.refuse_what_cannot_work()
        if migrate:
            call_command("migrate", interactive=False)
        self.refuse_old_tables()
        connection.close_pool()  # type: ignore[attr-defined]
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"],
            cwd=settings.BASE_DIR,
            env={**os.environ, **COLLECTED},
            check=True,
        )
        host, port = settings.HOST, settings.PORT
        processes = [
            Process(
                "web",
                f"granian --interface wsgi --host {host} --port {port} --no-ws"
                f" --workers {settings.WEB_WORKERS} --blocking-threads {settings.WEB_THREADS}"
                " rollcall.wsgi:application",
            ),
            Process("gateway", "gateway"),
            WORKER,
            BEAT,
        ]
        try:
            with Supervisor() as supervisor:
                for process in processes:
                    supervisor.start(process, env=COLLECTED)
                supervisor.wait()
        except ChildEnded as error:
            raise CommandError(str(error)) from error

    def refuse_what_cannot_work(self) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "(serve.1) DATABASE_URL does not name a PostgreSQL database. "
                "Set it, as in DATABASE_URL=postgres://user:password@host:5432/rollcall"
            )
        if not settings.REDIS_URL:
            raise CommandError(
                "(serve.2) REDIS_URL is not set. Set it, as in REDIS_URL=redis://host:6379/0"
            )
        for name in ("PORT", "GATEWAY_PORT"):
            host, port = settings.HOST, getattr(settings, name)
            if obstacle := why_not_listen(host, port):
                raise CommandError(
                    f"(serve.3) Cannot listen on {host}, port {port}: {obstacle}. "
                    f"HOST and {name} choose another place."
                )
        if settings.PORT == settings.GATEWAY_PORT:
            raise CommandError("(serve.7) PORT and GATEWAY_PORT are the same; set one of them.")
        # Past the pool, which would try again and again.
        parameters = connection.get_connection_params()
        parameters.pop("pool", None)
        try:
            psycopg.connect(**{"connect_timeout": 5, **parameters}).close()
        except psycopg.OperationalError as error:
            raise CommandError(f"(serve.4) The database of DATABASE_URL: {error}") from error
        try:
            with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            raise CommandError(f"(serve.5) The Redis of REDIS_URL: {error}") from error
        call_command("check", deploy=True)

    def refuse_old_tables(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise CommandError(
                "(serve.6) The database has not been migrated to this version. "
                "Back it up, then: manage.py serve --migrate"
            )
