"""Roles that follow the groups of an identity provider.

Invariants
----------
* Each sign-in by the provider gives the roles of the groups that it names, and takes the roles that
  an earlier one gave. Roles that an owner gave stay as they are.
* The last owner of an application stays, whatever the groups say.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from applications import audit, members
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Application, Member, Role

_ORDER = list(Role)  # the lowest first


def highest(grants: list[tuple[str, str]]) -> dict[str, Role]:
    """The highest role for each application of pairs (org name, role)."""
    found: dict[str, Role] = {}
    for org_name, name in grants:
        role = Role(name)
        if org_name not in found or _ORDER.index(role) > _ORDER.index(found[org_name]):
            found[org_name] = role
    return found


@transaction.atomic
def follow(*, account: Any, roles: Mapping[str, Role], by: Actor, now: datetime) -> None:
    """Give the account these roles (org name → role) and take what it had from other groups."""
    granted = Application.objects.filter(org_name__in=roles)
    earlier = Application.objects.filter(members__account=account, members__by_groups=True)
    for application in (granted | earlier).distinct().order_by("pk"):
        members.lock(application)
        member = Member.objects.filter(application=application, account=account).first()
        role = roles.get(application.org_name)
        if member is None:
            if role is not None:
                _add(application, account, role, by, now)
        elif member.by_groups:
            _change(application, member, role, by, now)


def _add(application: Application, account: Any, role: Role, by: Actor, now: datetime) -> None:
    Member.objects.create(
        application=application,
        account=account,
        role=role,
        added_at=now,
        added_by=by.name,
        by_groups=True,
    )
    _record(AuditType.MEMBER_ADDED, application, account, by, now, after={"role": role})


def _change(
    application: Application, member: Member, role: Role | None, by: Actor, now: datetime
) -> None:
    if member.role == role or members.is_last_owner(application, member):
        return
    before = {"role": member.role}
    if role is None:
        member.delete()
        _record(AuditType.MEMBER_REMOVED, application, member.account, by, now, before=before)
    else:
        Member.objects.filter(pk=member.pk).update(role=role)
        after = {"role": role}
        _record(AuditType.MEMBER_CHANGED, application, member.account, by, now, before, after)


def _record(
    type: AuditType,
    application: Application,
    account: Any,
    by: Actor,
    now: datetime,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> None:
    audit.record(
        type,
        application=application,
        subject=account.get_username(),
        by=by,
        now=now,
        before=before,
        after=after,
    )
