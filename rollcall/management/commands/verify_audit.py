"""Compare the audit trail with its seals: for staff, and for cron, which reads the exit code."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from applications import audit_verification, seal_copies
from applications.audit_findings import Fault, Report

_OF_COPIES = {Fault.SEAL_REMOVED, Fault.SEAL_REPLACED}


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

        parser.add_argument(
            "--restored",
            action="store_true",
            help="first record in AUDIT_SEALS_FILE that the database was restored from a backup, "
            "which lacks the seals that were made after it",
        )

    def handle(self, *, copies: list[Path] | None, restored: bool, **_options: Any) -> None:
        if restored:
            self.record_restore()
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
        if report.dropped is not None:
            self.stdout.write(
                f"Dropped by rule, as {report.dropped.number:,} sealed statements say: "
                f"{report.dropped_lines:,} lines, seals 1 to {report.dropped.last_seal:,}, sealed "
                f"until {report.dropped.sealed_until:%Y-%m-%d %H:%M} UTC."
            )
        if report.given_up:
            text += f" Given up by a restore: seals {report.given_up:,}."
        if not report.is_whole:
            if any(finding.fault in _OF_COPIES for finding in report.findings):
                self.stdout.write(
                    "A database that was restored from a backup lacks the seals made after it. "
                    "If that is so, record it with: manage.py verify_audit --restored"
                )
            raise CommandError(f"{text} Not as it was: {report.faults:,}.")
        self.stdout.write(f"{text} All are as they were.")

    def record_restore(self) -> None:
        try:
            lost = seal_copies.record_restore(now=timezone.now())
        except (OSError, seal_copies.InvalidCopy, seal_copies.NotRestored) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Recorded: the restore has lost the seals {lost[0]} to {lost[-1]}."
            if lost
            else "Nothing to record: no seal is missing."
        )

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
