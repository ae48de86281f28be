"""Delete test users as if they had never been there, to free their places.

Invariants
----------
* Only in development. In production this module refuses whoever calls, but for an API call while
  an owner has unlocked deletion for that environment.
* Nothing stays of a deleted user: tokens die with the row, connections close, and what other
  storeys keep goes in the same transaction (`users.erasure`).
* Deleting several is a job of two steps: a preview names exactly whom, a confirmation runs it. The
  job deletes the lives that were previewed, and no other: an id that was registered again since
  then stays.
* Deletions in one environment queue at its row: users on each other's lists, deleted side by side,
  would deadlock.
* A batch is one transaction. A worker that dies leaves whole batches behind, and the sweep goes on
  where it stopped.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import Count

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.keyset import Keyset, Page
from applications.models import AuditEvent, Environment
from users import erasure, identity, presence
from users.models import AppUser, DeletionItem, DeletionJob, KickReason
from users.presence import Kick
from users.tokens import UnknownUsers

BATCH_SIZE = 20
# A running job that has stood still for so long has lost its worker.
STALLED_AFTER = timedelta(seconds=15)
OLDEST_FIRST = Keyset("registered_at", "id")


class NotInProduction(Exception):
    """Production users are deactivated by API, never deleted."""

    def __init__(self) -> None:
        super().__init__("Users can be deleted in development only; in production, deactivate them")


class NobodyToDelete(Exception):
    """A preview without anybody in it."""


class JobNotOpen(Exception):
    """The job is not in a state that allows this; somebody else was quicker."""


@transaction.atomic
def delete(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    by: Actor,
    now: datetime,
    skip_unknown: bool = False,
) -> list[str]:
    """Delete these users now, all or none; the ids deleted. Raises `NotInProduction`, and
    `UnknownUsers` unless those are to be skipped.
    """
    _require_allowed(environment, by, now)
    wanted = identity.check_user_ids(user_ids)
    _queue(environment)
    identity.lock(environment, wanted)
    users = list(AppUser.objects.filter(environment=environment, user_id__in=wanted))
    missing = set(wanted) - {user.user_id for user in users}
    if missing and not skip_unknown:
        raise UnknownUsers(missing)
    _delete(environment, users, by=by, now=now)
    return [user_id for user_id in wanted if user_id not in missing]


@transaction.atomic
def delete_oldest(
    *, environment: Environment, cursor: str = "", size: int, by: Actor, now: datetime
) -> Page[AppUser]:
    """Delete a page of users, whoever they are, the first registered first; the page, as it was.

    Raises `NotInProduction`, `keyset.BadCursor`.
    """
    _require_allowed(environment, by, now)
    _queue(environment)
    users = AppUser.objects.in_environment(environment)
    page = OLDEST_FIRST.page(users, cursor=cursor, size=size)
    identity.lock(environment, [user.user_id for user in page.rows])
    # Deactivation does not queue here: who has gone meanwhile has gone.
    _delete(environment, list(users.filter(pk__in=[user.pk for user in page.rows])), by=by, now=now)
    return page


def _queue(environment: Environment) -> None:
    """Hold the environment's row: deletions go one after another."""
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)


def _delete(
    environment: Environment, users: Sequence[AppUser], *, by: Actor, now: datetime
) -> None:
    ids = [user.user_id for user in users]
    kick = Kick(KickReason.DELETED)
    presence.request_disconnect(environment=environment, kicks=dict.fromkeys(ids, kick), now=now)
    erasure.erase(
        environment=environment, user_ids=ids, occasion=erasure.Occasion.DELETION, now=now
    )
    AppUser.objects.filter(pk__in=[user.pk for user in users]).delete()
    audit.record_many(
        AuditType.USER_DELETED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (user.user_id, {"registered_at": user.registered_at.isoformat()}, None)
            for user in users
        ],
    )


@transaction.atomic
def preview(
    *,
    environment: Environment,
    candidates: Sequence[tuple[AppUser, str]],
    by: Actor,
    now: datetime,
) -> DeletionJob:
    """A job over exactly these users, each with the reason why. Deletes nobody yet.

    Raises `NotInProduction`, `NobodyToDelete`.
    """
    _require_development(environment)
    if not candidates:
        raise NobodyToDelete
    job = DeletionJob.objects.create(
        environment=environment, previewed_at=now, previewed_by=by.name
    )
    DeletionItem.objects.bulk_create(
        DeletionItem(job=job, user_id=user.user_id, life=user.pk, reason=reason)
        for user, reason in candidates
    )
    audit.record(
        AuditType.DELETION_PREVIEWED,
        environment=environment,
        by=by,
        now=now,
        after={"job": job.pk, "users": len(candidates)},
    )
    return job


@transaction.atomic
def confirm(*, job: DeletionJob, by: Actor, now: datetime) -> None:
    """Let the job run. Raises `JobNotOpen` unless it was a preview."""
    _require_development(job.environment)
    confirmed = DeletionJob.objects.filter(pk=job.pk, state=DeletionJob.State.PREVIEWED).update(
        state=DeletionJob.State.RUNNING,
        confirmed_at=now,
        confirmed_by=by.name,
        progressed_at=now,
    )
    if not confirmed:
        raise JobNotOpen
    audit.record(
        AuditType.DELETION_STARTED,
        environment=job.environment,
        by=by,
        now=now,
        after={"job": job.pk},
    )
    # By name, for the task imports this module. If the broker is away, the sweep finds the job.
    transaction.on_commit(
        lambda: current_app.send_task("users.tasks.run_deletion_job", kwargs={"job_id": job.pk}),
        robust=True,
    )


@transaction.atomic
def cancel(*, job: DeletionJob, by: Actor, now: datetime) -> None:
    """Discard a preview, or stop a running job after its present batch. Raises `JobNotOpen`."""
    cancelled = DeletionJob.objects.filter(
        pk=job.pk, state__in=[DeletionJob.State.PREVIEWED, DeletionJob.State.RUNNING]
    ).update(state=DeletionJob.State.CANCELLED, finished_at=now)
    if not cancelled:
        raise JobNotOpen
    audit.record(
        AuditType.DELETION_CANCELLED,
        environment=job.environment,
        by=by,
        now=now,
        after={"job": job.pk},
    )


@transaction.atomic
def run_batch(*, job_id: int, now: datetime, size: int = BATCH_SIZE) -> bool:
    """Delete the next few users of a running job; whether to call again.

    False also when another worker holds the job: one at a time is enough, and its lock goes when
    it dies.
    """
    job = (
        DeletionJob.objects.running()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("environment")
        .filter(pk=job_id)
        .first()
    )
    if job is None:
        return False
    environment = job.environment
    by = Actor.system(f"deletion {job.pk}, confirmed by {job.confirmed_by}"[:80])
    items = list(job.items.pending().order_by("pk")[:size])
    if not items:
        DeletionJob.objects.filter(pk=job.pk).update(
            state=DeletionJob.State.DONE, finished_at=now, progressed_at=now
        )
        audit.record(
            AuditType.DELETION_FINISHED,
            environment=environment,
            by=by,
            now=now,
            after={"job": job.pk},
        )
        return False
    _queue(environment)
    identity.lock(environment, [item.user_id for item in items])
    found = {
        user.user_id: user
        for user in AppUser.objects.filter(
            environment=environment, user_id__in=[item.user_id for item in items]
        )
    }
    doomed = []
    for item in items:
        user = found.get(item.user_id)
        if user is None:
            item.result = DeletionItem.Result.GONE
        elif user.pk != item.life:
            item.result = DeletionItem.Result.ANOTHER_LIFE
        else:
            item.result = DeletionItem.Result.DELETED
            doomed.append(user)
        item.done_at = now
    if doomed:
        _delete(environment, doomed, by=by, now=now)
    DeletionItem.objects.bulk_update(items, ["result", "done_at"])
    DeletionJob.objects.filter(pk=job.pk).update(progressed_at=now)
    return True


def progress(job: DeletionJob) -> dict[str, int]:
    """How many users of the job have each result; those that none has are left out."""
    return dict(job.items.order_by("result").values_list("result").annotate(number=Count("pk")))


def stalled(*, now: datetime) -> list[int]:
    """Running jobs that have lost their worker."""
    return list(
        DeletionJob.objects.running()
        .filter(progressed_at__lte=now - STALLED_AFTER)
        .order_by("progressed_at")
        .values_list("pk", flat=True)[:100]
    )


def _is_unlocked(environment: Environment, now: datetime) -> bool:
    until = environment.deletion_unlocked_until
    return until is not None and until > now


def _require_allowed(environment: Environment, by: Actor, now: datetime) -> None:
    if not (by.kind == AuditEvent.ActorKind.APP_KEY and _is_unlocked(environment, now)):
        _require_development(environment)


def _require_development(environment: Environment) -> None:
    if not environment.is_development:
        raise NotInProduction
