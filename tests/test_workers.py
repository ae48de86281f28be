"""Worker processes as they run in earnest: killed half way, and woken by a real broker."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from redis import Redis

from applications.models import AuditEvent
from applications.models.jobs import STALLED_AFTER
from moderation.models import Ban, SweepRun
from rollcall.processes import BEAT, WORKER, Supervisor, module
from tests.factories import (
    DAY,
    NOON,
    api_actor,
    make_ban,
    make_environment,
    make_users,
    staff_actor,
)
from tests.stores import url_of_test_database
from tests.waiting import eventually
from users import deactivation, deletion
from users.models import AppUser, DeactivatedUser, DeletionItem, DeletionJob

pytestmark = pytest.mark.django_db(transaction=True)

# These processes read the real clock: what was over long before is over for them too.
LONG_AGO = datetime(2020, 1, 6, tzinfo=UTC)

BATCH = 20  # users
# Runs a job as the task does, and comes to a halt in its third batch, within the transaction, when
# part of what the batch must delete is deleted.
HALTS_HALF_WAY = """
import itertools, sys
import django
django.setup()
from functools import partial
from users import deletion, tasks
from users.erasure import erasing

deletion.run_batch = partial(deletion.run_batch, size=int(sys.argv[2]))

batches = itertools.count(1)

def halt(**_):
    if next(batches) == 3:
        print("half way", flush=True)
        sys.stdin.read()
    return {}

erasing.connect(halt)
tasks.run_deletion_job(job_id=int(sys.argv[1]))
"""


@pytest.fixture
def same_store(monkeypatch):
    """Child processes work on this test's database."""
    monkeypatch.setenv("DATABASE_URL", url_of_test_database())
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "rollcall.settings")
    monkeypatch.setenv("PYTHONPATH", str(settings.BASE_DIR))


def confirmed_job(users, *, now=NOON):
    job = deletion.preview(
        environment=users[0].environment,
        candidates=[(user, "why") for user in users],
        by=staff_actor(),
        now=now,
    )
    deletion.confirm(job=job, by=staff_actor(), now=now)
    return job


class TestKilled:
    """Law 10: killed half way, a job resumes, and no user is deleted who was not previewed."""

    def test_half_way_a_job_goes_on_and_deletes_each_once_and_nobody_else(self, same_store):
        environment = make_environment()
        users = make_users(environment=environment, count=90)
        for user in users:
            make_ban(environment=environment, user_id=user.user_id)
        doomed, others = users[:70], users[70:]
        job = confirmed_job(doomed)
        worker = subprocess.Popen(
            [sys.executable, "-c", HALTS_HALF_WAY, str(job.pk), str(BATCH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == "half way\n"
        worker.kill()
        worker.communicate()

        done = 2 * BATCH
        assert job.items.pending().count() == len(doomed) - done
        job.refresh_from_db()
        later = job.progressed_at + STALLED_AFTER
        # The database lets go of a dead worker's job as soon as it notices.
        assert eventually(lambda: deletion.run_batch(job_id=job.pk, now=later, size=1))
        assert AppUser.objects.count() == Ban.objects.count() == len(users) - done - 1
        assert deletion.stalled(now=later + STALLED_AFTER) == [job.pk]
        while deletion.run_batch(job_id=job.pk, now=later):
            pass

        job.refresh_from_db()
        assert job.state == DeletionJob.State.DONE
        assert set(AppUser.objects.all()) == set(others)
        left = set(Ban.objects.values_list("user_id", flat=True))
        assert left == {user.user_id for user in others}
        assert set(job.items.values_list("result", flat=True)) == {DeletionItem.Result.DELETED}
        deleted = AuditEvent.objects.filter(type="user.deleted").order_by("pk")
        assert [line.subject for line in deleted] == [user.user_id for user in doomed]


class TestOverABroker:
    def test_beat_wakes_the_worker_which_does_all_that_waits(
        self, same_store, monkeypatch, tmp_path
    ):
        """Law 23, and the sweeps behind laws 10 and 11: real broker, real beat, real worker."""
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        monkeypatch.setenv("SWEEP_SECONDS", "1")
        environment = make_environment()
        over = make_ban(
            environment=environment,
            imposed_at=LONG_AGO,
            expires_at=LONG_AGO + DAY,
            user_id="over",
        )
        for_good = make_ban(
            environment=environment, imposed_at=LONG_AGO, expires_at=None, user_id="for-good"
        )
        job = confirmed_job(make_users(environment=environment, count=5), now=LONG_AGO)
        deactivation.deactivate(
            environment=environment, user_ids=["gone"], by=api_actor(), now=LONG_AGO
        )

        def all_done():
            return (
                not Ban.objects.due(LONG_AGO + timedelta(days=2)).exists()
                and DeletionJob.objects.get(pk=job.pk).state == DeletionJob.State.DONE
                and not DeactivatedUser.objects.awaiting_erasure().exists()
                and SweepRun.objects.exists()
            )

        logs = [tmp_path / "worker.log", tmp_path / "beat.log"]
        with Supervisor() as supervisor:
            for command, log in zip((WORKER, BEAT), logs, strict=True):
                supervisor.start(module(log.stem, command), log=log)
            assert eventually(all_done), "".join(map(Path.read_text, logs))
        over.refresh_from_db()
        for_good.refresh_from_db()
        assert (over.outcome, over.closed_by) == (Ban.Outcome.EXPIRED, "system")
        assert for_good.closed_at is None
        assert not AppUser.objects.exists()
        lines = AuditEvent.objects.filter(type="ban.expired")
        assert [line.subject for line in lines] == ["over"]

    def test_a_confirmed_job_runs_without_waiting_for_beat(self, same_store, tmp_path):
        """The message leaves at commit, by this run's own broker: files, or Redis."""
        job = confirmed_job(make_users(environment=make_environment(), count=5))
        log = tmp_path / "worker.log"
        with Supervisor() as supervisor:
            supervisor.start(module("worker", WORKER), log=log)
            assert eventually(
                lambda: DeletionJob.objects.get(pk=job.pk).state == DeletionJob.State.DONE
            ), log.read_text()
        assert not AppUser.objects.exists()


def queued(**changes):
    """As Celery writes a message, but for some of its parts."""
    message = {
        "body": base64.b64encode(b"[[], {}, {}]").decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "moderation.tasks.expire_bans", "id": "1"},
        "properties": {
            "delivery_tag": "tag",
            "delivery_info": {"exchange": "", "routing_key": "celery"},
            "body_encoding": "base64",
        },
    }
    return json.dumps(message | changes).encode()


GARBAGE = [
    *(b"not JSON", b"\xff\xfe", b"", b"[]", b"{}", b"5"),
    queued(body="%%%"),
    queued(body=base64.b64encode(b'"text"').decode()),
    queued(body=base64.b64encode(b"{not JSON").decode()),
    queued(headers=[]),
    queued(headers={"task": "no.such.task", "id": "1"}),
    queued(**{"content-type": "application/x-python-serialize"}),
]


def test_garbage_in_the_broker_is_skipped_by_the_same_worker(same_store, tmp_path):
    log = tmp_path / "worker.log"
    with Redis.from_url(settings.REDIS_URL) as broker, Supervisor(folder=tmp_path) as supervisor:
        for each in GARBAGE:
            broker.lpush("celery", each)
        broker.hset("unacked", "tag", "not JSON")  # as if taken by a worker that was killed
        broker.zadd("unacked_index", {"tag": 0})
        supervisor.start(module("worker", WORKER), log=log)
        pid = supervisor.pids()["worker"]
        assert eventually(lambda: not broker.llen("celery")), log.read_text()
        number = broker.connection_pool.connection_kwargs["db"]
        broker.publish(f"/{number}.celery.pidbox", b"[]")
        broker.lpush("celery", queued())
        assert eventually(SweepRun.objects.exists), log.read_text()
        assert eventually(lambda: not broker.hlen("unacked")), log.read_text()
        assert supervisor.running()
        assert supervisor.pids() == {"worker": pid}
    assert log.read_text().count("skipped a message") >= 6
