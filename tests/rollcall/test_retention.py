"""What beat starts, and that ended sessions of staff go by themselves."""

import pytest

from applications import staff_sessions
from applications.models import StaffSession
from rollcall import schedule
from rollcall.celery import app
from tests.factories import NOON, SECOND


@pytest.mark.django_db
def test_ended_sessions_go():
    for key, ends_at in (("over", NOON), ("open", NOON + SECOND)):
        StaffSession.objects.create(
            session_key=key, expire_date=ends_at, signed_in_at=NOON, last_used_at=NOON
        )
    assert staff_sessions.forget_ended(now=NOON) == 1
    assert StaffSession.objects.get().session_key == "open"


def test_every_task_that_beat_starts_exists():
    app.loader.import_default_modules()
    assert set(schedule.entries(sweep_seconds=5)) <= set(app.tasks)
