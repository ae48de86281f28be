"""Sample data for an empty store; `make demo` calls it."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from applications.models import Application
from rollcall.demo import story


class Command(BaseCommand):
    help = "Fill an empty store with sample data. Does nothing where an application exists."

    def handle(self, **_options: Any) -> None:
        if not Application.objects.exists():
            story.tell(now=timezone.now())
