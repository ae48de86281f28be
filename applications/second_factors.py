"""The second factors of staff: an authenticator app, or a passkey.

The owner of an application may require one of all its members. django-allauth stores and checks
them; this module says who may enter without, and writes the audit trail.

Invariants
----------
* A member without a second factor does not enter an application that requires one, whatever the
  door. Nothing else about the member changes: once it is set up, they enter.
* Only an owner who has one can require it, so requiring it does not lock out its owner.
* A change of somebody's second factor writes a line in each application of which they are a member.
"""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet

from applications import audit, locks
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Application, Member

# Recovery codes alone are none: they stand in for one that was lost.
KINDS = ("totp", "webauthn")


class OwnFactorMissing(Exception):
    """Whoever requires a second factor of all members needs one first."""


def of(account: Any) -> QuerySet[Any]:
    """The second factors of an account, which may be an `OuterRef` to one."""
    # Looked up when it is asked for: models of other apps are not loaded yet when this module is.
    stored = apps.get_model("mfa", "Authenticator")._default_manager
    found: QuerySet[Any] = stored.filter(user=account, type__in=KINDS)
    return found


def has_one(account: Any) -> bool:
    return of(account).exists()


@transaction.atomic
def require(
    *, application: Application, required: bool, account: Any, by: Actor, now: datetime
) -> None:
    """Require a second factor of all members, or no longer. `account` is the owner's who does it.

    Raises `OwnFactorMissing`.
    """
    locked = locks.application(application)
    if required and not has_one(account):
        raise OwnFactorMissing
    if locked.second_factor_required == required:
        return
    Application.objects.filter(pk=locked.pk).update(second_factor_required=required)
    audit.record(
        AuditType.APPLICATION_SECOND_FACTOR_CHANGED,
        application=locked,
        by=by,
        now=now,
        before={"required": not required},
        after={"required": required},
    )


def added(*, account: Any, kind: str, by: Actor, now: datetime) -> None:
    """Record that the account got a way to sign in; `kind` is its name, such as "totp"."""
    _record(AuditType.MEMBER_FACTOR_ADDED, account, by, now, {"kind": kind})


def removed(*, account: Any, kind: str, by: Actor, now: datetime) -> None:
    """Record that a way to sign in was removed."""
    _record(AuditType.MEMBER_FACTOR_REMOVED, account, by, now, {"kind": kind})


def password_changed(*, account: Any, by: Actor, now: datetime) -> None:
    _record(AuditType.MEMBER_PASSWORD_CHANGED, account, by, now, None)


def account_changed(
    *, account: Any, before: dict[str, Any], after: dict[str, Any], by: Actor, now: datetime
) -> None:
    """Record that somebody else changed the account: its name, whether it is active, whether it
    may use Django admin. `before` and `after` are what differs.
    """
    _record(AuditType.MEMBER_ACCOUNT_CHANGED, account, by, now, after, before)


@transaction.atomic
def _record(
    type: AuditType,
    account: Any,
    by: Actor,
    now: datetime,
    after: dict[str, Any] | None,
    before: dict[str, Any] | None = None,
) -> None:
    """One line in each application of which the account is a member."""
    audit.write(
        audit.line(
            type,
            by=by,
            now=now,
            application_id=application_id,
            environment_id=None,
            subject=account.get_username(),
            before=before,
            after=after,
        )
        for application_id in Member.objects.filter(account=account)
        .order_by("application")
        .values_list("application", flat=True)
    )


@transaction.atomic
def remove_all(*, account: Any, by: Actor, now: datetime) -> list[str]:
    """Remove all second factors and recovery codes of somebody who has lost them, and end their
    sessions. They sign in with their password, and set up new ones. Returns what was removed.
    """
    stored = apps.get_model("mfa", "Authenticator")._default_manager.filter(user=account)
    kinds = sorted(stored.values_list("type", flat=True))
    for kind in kinds:
        removed(account=account, kind=kind, by=by, now=now)
    stored.delete()
    account.sessions.all().delete()
    return kinds
