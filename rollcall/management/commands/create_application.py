"""Create an application from the command line: for scripts, or as the first of an installation."""

import json
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.utils import timezone

from applications import environments
from applications.audit import Actor
from applications.models import Plan

_PLANS = ", ".join(Plan.values)


class Command(BaseCommand):
    help = "Create an application and print the keys of its two environments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--plan", default=Plan.TRIAL, help="plan of production: " + _PLANS)
        parser.add_argument("--owner", help="username of the staff account that owns it")
        parser.add_argument("--json", action="store_true", help="print only one JSON object")

    def handle(self, *, name: str, plan: str, owner: str | None, **options: Any) -> None:
        if plan not in Plan.values:
            raise CommandError(f"There is no plan {plan}. Plans: {_PLANS}")
        account = get_user_model().objects.filter(username=owner).first() if owner else None
        if owner is not None and account is None:
            raise CommandError(f"There is no staff account {owner}. createsuperuser creates one.")
        try:
            new = environments.create_application(
                name=name.strip(),
                plan=Plan(plan),
                owner=account,
                by=Actor.system("manage.py create_application"),
                now=timezone.now(),
            )
        except environments.InvalidName as error:
            raise CommandError(str(error)) from error
        keys = {
            kind: {
                "app_key": environment.app_key,
                "app_secret": new.secret_texts[kind],
                "org_name": new.application.org_name,
                "app_name": environment.kind,
            }
            for kind, environment in new.environments.items()
        }
        if options["json"]:
            application = {"id": new.application.pk, "name": new.application.name}
            self.stdout.write(json.dumps({"application": application, "environments": keys}))
            return
        self.stdout.write(f"Created {new.application.name}.")
        for kind, values in keys.items():
            self.stdout.write(f"\n{kind.title()}")
            for word, value in values.items():
                self.stdout.write(f"  {word.replace('_', ' '):<12}{value}")
        self.stdout.write("\nThe secrets are not shown again. The console can add new ones.")
