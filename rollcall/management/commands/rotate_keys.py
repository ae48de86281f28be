"""Encrypt what is stored anew, under the first of `ENCRYPTION_KEYS`."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from applications import audit_seals, rotation
from applications.models import AuditSeal
from users import passwords


class Command(BaseCommand):
    help = (
        "Encrypt what is stored with the first of ENCRYPTION_KEYS, and say what still needs the "
        "others. It may run beside the servers. If it was stopped, run it again to go on."
    )

    def handle(self, **_options: Any) -> None:
        unreadable = 0
        for column in rotation.columns():
            for progress in rotation.renew(column):
                if self.stderr.isatty():
                    shown = f"\r{column}: {progress.read:,} of {progress.total:,}\r"
                    self.stderr.write(shown, str, ending="")
            self.stdout.write(
                f"{str(column).capitalize()}: {progress.read:,} read, "
                f"{progress.renewed:,} encrypted anew"
            )
            unreadable += progress.unreadable
        if unreadable:
            raise CommandError(
                f"None of ENCRYPTION_KEYS decrypts {unreadable:,} of them. "
                "Add the key that does at the end, and run this again."
            )
        if len(settings.ENCRYPTION_KEYS) > 1:
            self.say_what_needs_the_others()

    def say_what_needs_the_others(self) -> None:
        seals = AuditSeal.objects.exclude(key_hint=audit_seals.seal_keys()[0].hint)
        last = seals.order_by("-number").values_list("sealed_at", flat=True).first()
        until = f", the last of {last:%Y-%m-%d %H:%M} UTC" if last else ""
        self.stdout.write(
            "Nothing that is encrypted needs the other keys any more. Without them:\n"
            "- access tokens that they signed are invalid, and clients need new ones;\n"
            f"- app users cannot sign in by password: {passwords.under_older_keys().count():,} who "
            "have not done so since the new key is the first;\n"
            f"- seals of the audit trail cannot be verified: {seals.count():,}{until}.\n"
            "Where that may be, take the other keys away and restart all processes on all machines."
        )
