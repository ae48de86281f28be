"""Sample data for an empty database; `make demo` calls it."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from applications.models import Application
from rollcall.demo import sample_data


class Command(BaseCommand):
    help = "Add sample data to an empty database. Does nothing if there is an application."

    def handle(self, **_options: Any) -> None:
        if not Application.objects.exists():
            sample_data.create(now=timezone.now())
