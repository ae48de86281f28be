"""Help somebody who has lost their second factor and their recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from applications import second_factors
from applications.audit import Actor


class Command(BaseCommand):
    help = (
        "Remove all second factors and recovery codes of an account and sign it out everywhere. "
        "Make sure first that it is this person who asks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        account = get_user_model().objects.filter(username=username).first()
        if account is None:
            raise CommandError(f"There is no staff account {username}.")
        kinds = second_factors.remove_all(
            account=account,
            by=Actor.system("manage.py remove_second_factor"),
            now=timezone.now(),
        )
        if not kinds:
            raise CommandError(f"{username} has no second factor.")
        self.stdout.write(f"Removed from {username}: {', '.join(kinds)}. All sessions are ended.")
        if not account.has_usable_password():
            self.stdout.write("The account has no password: give it one with changepassword.")
