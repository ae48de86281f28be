"""Compare the audit trail with its seals: for staff, and for cron, which reads the exit code."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from applications import audit_verification, seal_copies
from applications.audit_verification import Report


class Command(BaseCommand):
    help = (
        "Verify the audit trail: say which line was changed, removed, added or moved since it was "
        "sealed. Exits with 1 if there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--copies",
            action="append",
            type=Path,
            metavar="FILE",
            help="file with copies of seals, one JSON object in each line: that of "
            "AUDIT_SEALS_FILE, which is the default, or what a webhook has received",
        )

    def handle(self, *, copies: list[Path] | None, **_options: Any) -> None:
        files = copies or [Path(settings.AUDIT_SEALS_FILE)]
        try:
            report = audit_verification.verify(
                copies=self.copies(files, needed=bool(copies)), progress=self.progress
            )
        except (OSError, seal_copies.InvalidCopy) as error:
            raise CommandError(str(error)) from error
        for finding in report.findings:
            self.stdout.write(str(finding))
        if report.faults > len(report.findings):
            self.stdout.write(f"And {report.faults - len(report.findings):,} more.")
        text = (
            f"Compared: lines {report.lines:,}, seals {report.seals:,}, copies {report.copies:,}."
        )
        if not report.is_whole:
            raise CommandError(f"{text} Not as it was: {report.faults:,}.")
        self.stdout.write(f"{text} All are as they were.")

    def copies(self, files: list[Path], *, needed: bool) -> Iterator[dict[str, Any]]:
        """Without --copies, a machine on which no worker runs has no file."""
        for file in files:
            if not needed and not file.exists():
                continue
            with file.open(encoding="utf-8") as lines:
                yield from seal_copies.read(lines)

    def progress(self, report: Report) -> None:
        if report.seals % 100 == 0 and self.stderr.isatty():
            self.stderr.write(f"\r{report.lines:,} lines", str, ending="")
