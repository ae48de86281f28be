"""What staff and app servers do meanwhile: an import of 47,500 users, and test users on leases."""

import asyncio
import io
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from random import Random

from django.utils import timezone

from applications.models import Environment
from rollcall.demo.life.cast import Cast
from rollcall.demo.life.database import in_thread
from rollcall.demo.names import random_name
from rollcall.demo.office import ADMIN
from rollcall.demo.timeline import app_server, staff
from transfers import files, imports
from transfers.kinds import KINDS
from transfers.models import ImportJob
from users import quota, registration

IMPORTED = 47_500  # with those of the sample data, 50,000
FILE = "users-of-the-old-service.csv"
LOOK_EVERY = 2.0  # seconds
# A test run registers a user with a lease this often, for so long.
BUILD_EVERY, BUILD_LASTS = (100.0, 200.0), timedelta(minutes=8)
LEFT_FREE = 5  # places of development that test runs do not take


def plays(cast: Cast) -> Iterator[Callable[[], Awaitable[None]]]:
    yield partial(_import, cast.production)
    yield partial(_build, cast.development)


async def _import(production: Environment) -> None:
    """Once. Whoever cancels the import in the console has the last word."""
    job_id = await in_thread(_uploaded, production)
    while not await in_thread(_confirmed, job_id):
        await asyncio.sleep(LOOK_EVERY)


def _uploaded(production: Environment) -> int:
    job = ImportJob.objects.filter(environment=production, file_name=FILE).first()
    if job is None:
        job = imports.upload(
            environment=production,
            kind=KINDS["users"],
            file=_file(),
            name=FILE,
            by=staff(ADMIN),
            now=timezone.now(),
        )
    return job.pk


def _file() -> io.BytesIO:
    """The users of ten weeks, at more or less the same pace."""
    made_up, now = Random(IMPORTED), timezone.now()  # noqa: S311 - sample data, no secret
    columns = ("user_id", "name", "registered_at")
    rows = []
    for number in range(IMPORTED):
        latin, name = random_name(made_up)
        registered_at = now - timedelta(days=70 * made_up.random())
        rows.append((f"{latin}.{number:05}", name, registered_at.isoformat(timespec="seconds")))
    text = files.head(files.Format.CSV, columns) + files.rows(files.Format.CSV, columns, rows)
    return io.BytesIO(text)


def _confirmed(job_id: int) -> bool:
    """Whether nothing is left to do; an import that is checked is confirmed."""
    job = ImportJob.objects.select_related("environment").filter(pk=job_id).first()
    if job is None or job.state not in (ImportJob.State.CHECKING, ImportJob.State.PREVIEWED):
        return True
    if job.state == ImportJob.State.PREVIEWED:
        imports.confirm(job=job, skip_broken=True, by=staff(ADMIN), now=timezone.now())
        return True
    return False


async def _build(development: Environment) -> None:
    while True:
        await in_thread(_register, development)
        await asyncio.sleep(random.uniform(*BUILD_EVERY))  # noqa: S311


def _register(development: Environment) -> None:
    now = timezone.now()
    free = quota.free_places(development)
    if free is None or free > LEFT_FREE:
        registration.register(
            environment=development,
            user_id=f"ci-{now:%H%M%S}",
            name="Test run",
            lease=BUILD_LASTS,
            by=app_server(development, "test run"),
            now=now,
        )
