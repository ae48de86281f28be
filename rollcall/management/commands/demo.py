"""`make demo`: the whole product on this machine, with nothing installed beside it.

Fills an empty store with sample data and never touches one that is not. Logs go to files, so that
the terminal keeps showing what a newcomer needs: address, sign-in, keys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from applications.environments import secret_text
from applications.models import Application, Environment
from rollcall.checks import SETTINGS
from rollcall.demo import story
from rollcall.processes import BEAT, WORKER, ChildEnded, Process, Supervisor, why_not_listen


class Command(BaseCommand):
    help = "Start web, worker and beat on this machine, with sample data in an empty store."
    requires_system_checks = (SETTINGS,)  # the others run while web starts

    def handle(self, **_options: Any) -> None:
        host, port = settings.HOST, settings.PORT
        if obstacle := why_not_listen(host, port):
            raise CommandError(
                f"Cannot listen on {host}, port {port}: {obstacle}. "
                f"PORT chooses another: PORT={port + 1} make demo"
            )
        logs = settings.DATA_DIR / "log"
        logs.mkdir(exist_ok=True)
        web = Process("web", "rollcall.asgi")
        try:
            with Supervisor() as supervisor:
                # In here, so that a Ctrl-C does not strike in the middle of a migration.
                facts = self.prepare()
                # Web first and alone: the page is what someone waits for.
                supervisor.start(web, log=logs / "web.log")
                self.check()
                status = supervisor.wait_for_page(host, port)
                if status is None:
                    return
                if status >= 500:
                    raise CommandError(f"The page fails, see {logs / 'web.log'}")
                for process in (WORKER, BEAT):
                    supervisor.start(process, log=logs / f"{process.name}.log")
                self.stdout.write(f"\nRollcall runs.\n\n{facts}\n\nCtrl-C stops it.")
                self.stdout.flush()
                supervisor.wait()
                self.stdout.write("\nStopping ... (Ctrl-C again stops it at once)")
                self.stdout.flush()
        except ChildEnded as error:
            log = logs / f"{error.name}.log"
            raise CommandError(f"{error}. {log} ends:\n{_last_lines(log)}") from error

    def prepare(self) -> str:
        """A store that is up to date and not empty; what to tell of it."""
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            # Only then: looking for nothing to do takes it half a second of every start.
            call_command("migrate", verbosity=0, interactive=False)
        if not Application.objects.exists():
            self.stdout.write("Making sample data ...")
            self.stdout.flush()
            with transaction.atomic():  # interrupted, it leaves the store empty
                call_command("demo_data")
        facts = "\n".join(f"  {name:<12} {value}" for name, value in _facts())
        connections.close_all()
        return facts


def _facts() -> Iterator[tuple[str, str]]:
    """What a newcomer needs, line by line."""
    host = settings.HOST if settings.HOST not in ("0.0.0.0", "::") else "localhost"  # noqa: S104
    yield "Address", f"http://{host}:{settings.PORT}/"
    if get_user_model().objects.filter(username=story.USERNAME).exists():
        yield "Sign in", f"{story.USERNAME} / {story.password()}"
    application = Application.objects.order_by("pk").first()
    for environment in Environment.objects.filter(application=application).order_by("kind"):
        secret = environment.secrets.live().order_by("pk").last()
        assert secret is not None  # noqa: S101 - an environment has one or two
        yield environment.kind.title(), f"app key     {environment.app_key}"
        yield "", f"app secret  {secret_text(secret)}"
    yield "Data, logs", str(settings.DATA_DIR)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else ""
