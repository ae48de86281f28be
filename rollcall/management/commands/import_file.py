"""Import a file of users, bans or lists from the command line, as the console's page does."""

from argparse import ArgumentParser
from pathlib import Path
from time import sleep
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from applications.audit import Actor
from applications.models import Environment
from transfers import files, imports
from transfers.kinds import KINDS
from transfers.models import ImportJob, ImportRow

SHOWN = 20


class Command(BaseCommand):
    help = "Import users, bans or lists from a CSV or JSON Lines file. Can be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("environment", help="as in acme-chat/production")
        parser.add_argument("kind", choices=list(KINDS))
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--skip-broken", action="store_true", help="leave out broken lines")

    def handle(
        self,
        *,
        environment: str,
        kind: str,
        file: Path,
        dry_run: bool,
        skip_broken: bool,
        **options: Any,
    ) -> None:
        by = Actor.system("manage.py import_file")
        place = _environment(environment)
        try:
            with file.open("rb") as content:
                job = imports.upload(
                    environment=place,
                    kind=KINDS[kind],
                    file=content,
                    name=file.name,
                    by=by,
                    now=timezone.now(),
                )
        except (OSError, files.BadFile) as error:
            raise CommandError(str(error)) from error
        self._work_off(job)
        self._report(job)
        if dry_run:
            imports.cancel(job=job, by=by, now=timezone.now())
            return
        try:
            imports.confirm(job=job, skip_broken=skip_broken, by=by, now=timezone.now())
        except imports.HasBrokenLines:
            imports.cancel(job=job, by=by, now=timezone.now())
            raise CommandError(
                "Nothing was imported. Mend the broken lines, or leave them out: --skip-broken"
            ) from None
        except imports.NothingToImport:
            self.stdout.write("There is nothing to import.")
            return
        self._work_off(job)
        self._report(job)

    def _work_off(self, job: ImportJob) -> None:
        """A worker may be at it too: they take turns."""
        waiting = ImportJob.objects.running().filter(pk=job.pk)
        while waiting.exists():
            if not imports.run_batch(job_id=job.pk, now=timezone.now()):
                sleep(0.1)

    def _report(self, job: ImportJob) -> None:
        for word, number in imports.progress(job).items():
            self.stdout.write(f"{number:>9,} {ImportRow.Result(word).label.lower()}")
        failed = job.rows.filter(result__in=imports.NOT_IMPORTED).order_by("line")[: SHOWN + 1]
        for row in failed[:SHOWN]:
            self.stdout.write(f"  line {row.line}: {row.problem}")
        if len(failed) > SHOWN:
            self.stdout.write(f"  … import {job.pk} in the console lists the others")


def _environment(name: str) -> Environment:
    org_name, _, kind = name.partition("/")
    found = Environment.objects.select_related("application").filter(
        application__org_name=org_name, kind=kind
    )
    if environment := found.first():
        return environment
    raise CommandError(f"There is no environment {name}. It is written as acme-chat/production.")
