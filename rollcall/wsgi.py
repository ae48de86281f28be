"""WSGI entry point, for production."""

import os
from collections.abc import Callable, Iterable

from django.apps import apps
from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")
application: Callable[..., Iterable[bytes]] = get_wsgi_application()
if apps.is_installed("api"):
    from api.entry import Entry

    application = Entry(application)
BaseCommand().check(tags=["settings"])  # servers start without Django's checks
