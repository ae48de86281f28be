"""The Celery application: `celery -A rollcall worker`, `celery -A rollcall beat`."""

import os
from typing import Any

from celery import Celery, signals

from rollcall import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")

broker.use()
app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**_: Any) -> None:
    """Django has configured it. Without a receiver, Celery shows warnings only."""
