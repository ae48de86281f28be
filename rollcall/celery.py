"""The Celery application: `celery -A rollcall worker`, `celery -A rollcall beat`."""

import logging
import os
from typing import Any

from celery import Celery, Task, signals
from django.utils import timezone

from rollcall import broker

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollcall.settings")


class TimedTask(Task):  # type: ignore[type-arg]
    """Does nothing on a machine whose clock is wrong: it would end bans and leases too early. What
    is to be done is in the database, and another worker does it.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self.request.called_directly or self.request.is_eager):
            from moderation import conditions  # needs Django

            if fault := conditions.clock(timezone.now(), most=conditions.TOO_FAR_APART):
                log.error("%s; this worker rests", fault)
                return None
        return super().__call__(*args, **kwargs)


broker.use()
app = Celery("rollcall", task_cls=TimedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def _leave_logging_alone(**_: Any) -> None:
    """Django has configured it. Without a receiver, Celery shows warnings only."""
