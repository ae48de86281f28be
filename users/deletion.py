"""Deletes test users as if they had never existed, which frees their places in the quota.

Invariants
----------
* Only in development. In production this module refuses every caller, except an API call while an
  owner has unlocked deletion for that environment.
* No data of a deleted user remains: their tokens are invalid, their connections close, and what
  other apps store about them is erased in the same transaction (`users.erasure`).
* Deleting several users is a job with two steps: a preview lists the users, a confirmation starts
  the job. The job deletes only the lives that were previewed: an id that was deleted and registered
  again since then stays. A pinned user stays too, pinned before the preview or after it.
* Deletions in one environment are serialised by a lock on its row: concurrent deletions of users on
  each other's lists would deadlock.
* A batch is one transaction. If a worker dies, only whole batches are done, and a periodic task
  resumes the job.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from celery import current_app
from django.db import transaction
from django.db.models import Count

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.keyset import Keyset, Page
from applications.models import Environment
from users import erasure, identity, pins, presence
from users.deletable import NotInProduction, require_allowed, require_development
from users.kept import Kept, store
from users.models import AppUser, DeletionItem, DeletionJob, KickReason
from users.presence import Kick
from users.tokens import UnknownUsers

__all__ = ["NotInProduction"]

BATCH_SIZE = 500
OLDEST_FIRST = Keyset("registered_at", "id")
Result = DeletionItem.Result


class NobodyToDelete(Exception):
    """A preview without users."""


class JobNotOpen(Exception):
    """The job's state does not allow this: somebody else has changed it meanwhile."""


@transaction.atomic
def delete(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    by: Actor,
    now: datetime,
    skip_unknown: bool = False,
) -> list[str]:
    """Delete these users now, all or none; return their ids. Raises `NotInProduction`, and
    `UnknownUsers` unless `skip_unknown`.
    """
    require_allowed(environment, by, now)
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
    """Delete a page of users, oldest registration first; return the page as it was before. Pinned
    users are in no page.

    Raises `NotInProduction`, `keyset.BadCursor`.
    """
    require_allowed(environment, by, now)
    _queue(environment)
    users = AppUser.objects.in_environment(environment).filter(place__pinned_at=None)
    page = OLDEST_FIRST.page(users, cursor=cursor, size=size)
    identity.lock(environment, [user.user_id for user in page.rows])
    # Read again under the lock: users may have been deactivated since the page was read.
    _delete(environment, list(users.filter(pk__in=[user.pk for user in page.rows])), by=by, now=now)
    return page


def _queue(environment: Environment) -> None:
    """Lock the environment's row, so that deletions run one after another."""
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)


def _delete(
    environment: Environment,
    users: Sequence[AppUser],
    *,
    by: Actor,
    now: datetime,
    job: DeletionJob | None = None,
) -> None:
    ids = [user.user_id for user in users]
    kept = Kept(ids) if environment.is_development else None  # for `users.undo`
    kick = Kick(KickReason.DELETED)
    presence.request_disconnect(environment=environment, kicks=dict.fromkeys(ids, kick), now=now)
    erasure.erase(
        environment=environment,
        user_ids=ids,
        occasion=erasure.Occasion.DELETION,
        now=now,
        kept=kept,
    )
    if kept is not None:
        who = job.confirmed_by if job else by.name
        store(environment=environment, users=users, kept=kept, job=job, by=who, now=now)
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
    """Create a job for exactly these users, each with a reason. Deletes nobody yet. Pinned users
    are in its list as kept.

    Raises `NotInProduction`, and `NobodyToDelete` if there is nobody who is not pinned.
    """
    require_development(environment)
    pinned = pins.among(user for user, _ in candidates)
    if len(pinned) == len(candidates):
        raise NobodyToDelete
    job = DeletionJob.objects.create(
        environment=environment, previewed_at=now, previewed_by=by.name
    )
    DeletionItem.objects.bulk_create(
        DeletionItem(
            job=job,
            user_id=user.user_id,
            life=user.pk,
            reason=reason,
            result=Result.PINNED if user.pk in pinned else Result.PENDING,
            done_at=now if user.pk in pinned else None,
        )
        for user, reason in candidates
    )
    audit.record(
        AuditType.DELETION_PREVIEWED,
        environment=environment,
        by=by,
        now=now,
        after={"job": job.pk, "users": len(candidates) - len(pinned)},
    )
    return job


@transaction.atomic
def confirm(*, job: DeletionJob, by: Actor, now: datetime) -> None:
    """Start a previewed job. Raises `NotInProduction`, and `JobNotOpen` unless it is a preview."""
    require_development(job.environment)
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
    # By name, because the task imports this module. If the broker is not available, the periodic
    # task finds the job.
    transaction.on_commit(
        lambda: current_app.send_task("users.tasks.run_deletion_job", kwargs={"job_id": job.pk}),
        robust=True,
    )


@transaction.atomic
def cancel(*, job: DeletionJob, by: Actor, now: datetime) -> None:
    """Discard a preview, or stop a running job after its current batch. Raises `JobNotOpen`."""
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
    """Delete the next users of a running job; return whether to call again.

    Also returns False if another worker has locked the job. The lock is released if that worker
    dies.
    """
    job: DeletionJob | None = DeletionJob.objects.claimed(job_id)
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
    user_ids = [item.user_id for item in items]
    identity.lock(environment, user_ids)
    found = {
        user.user_id: user
        for user in AppUser.objects.filter(environment=environment, user_id__in=user_ids)
    }
    pinned = pins.among(found.values())
    to_delete: list[AppUser] = []
    results: dict[DeletionItem.Result, list[int]] = defaultdict(list)
    for item in items:
        user = found.get(item.user_id)
        if user is None:
            results[Result.GONE].append(item.pk)
        elif user.pk != item.life:
            results[Result.ANOTHER_LIFE].append(item.pk)
        elif user.pk in pinned:
            results[Result.PINNED].append(item.pk)
        else:
            results[Result.DELETED].append(item.pk)
            to_delete.append(user)
    if to_delete:
        _delete(environment, to_delete, by=by, now=now, job=job)
    for result, keys in results.items():
        DeletionItem.objects.filter(pk__in=keys).update(result=result, done_at=now)
    DeletionJob.objects.filter(pk=job.pk).update(progressed_at=now)
    return True


def progress(job: DeletionJob) -> dict[str, int]:
    """result → number of users of the job that have it, without zeros."""
    return dict(job.items.order_by("result").values_list("result").annotate(number=Count("pk")))


def stalled(*, now: datetime) -> list[int]:
    """The ids of up to 100 running jobs that have lost their worker."""
    return DeletionJob.objects.stalled(now)
