"""Who works on an application, and in which role.

Invariant: an application that has an owner keeps at least one.
"""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.models import Application, Member, Role


class AlreadyMember(Exception):
    """The account has a role in this application already."""


class LastOwner(Exception):
    """The only owner cannot leave or be made less: nobody could manage members any more."""


class NotMember(Exception):
    """No such member: somebody else has removed them meanwhile."""


def _lock(application: Application) -> None:
    Application.objects.select_for_update(no_key=True).get(pk=application.pk)


def _get(application: Application, member_id: int) -> Member:
    try:
        return Member.objects.select_related("account").get(application=application, pk=member_id)
    except Member.DoesNotExist:
        raise NotMember from None


def _keep_an_owner(application: Application, member: Member) -> None:
    others = Member.objects.filter(application=application, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise LastOwner


@transaction.atomic
def add(
    *, application: Application, username: str, role: Role, by: Actor, now: datetime
) -> tuple[Member, bool]:
    """Give an account a role. An unknown username makes an account that cannot sign in until its
    person has set a password; the second value says whether that happened. Raises `AlreadyMember`.
    """
    _lock(application)
    accounts = get_user_model()
    account = accounts.objects.filter(username=username).first()
    invited = account is None
    if account is None:
        account = accounts.objects.create_user(username=username)
    elif Member.objects.filter(application=application, account=account).exists():
        raise AlreadyMember
    member = Member.objects.create(
        application=application, account=account, role=role, added_at=now, added_by=by.name
    )
    audit.record(
        "member.added",
        application=application,
        subject=username,
        by=by,
        now=now,
        after={"role": role},
    )
    return member, invited


@transaction.atomic
def change_role(
    *, application: Application, member_id: int, role: Role, by: Actor, now: datetime
) -> None:
    """Raises `NotMember`, `LastOwner`."""
    _lock(application)
    member = _get(application, member_id)
    if member.role == role:
        return
    _keep_an_owner(application, member)
    before = member.role
    Member.objects.filter(pk=member.pk).update(role=role)
    audit.record(
        "member.changed",
        application=application,
        subject=member.account.get_username(),
        by=by,
        now=now,
        before={"role": before},
        after={"role": role},
    )


@transaction.atomic
def remove(*, application: Application, member_id: int, by: Actor, now: datetime) -> None:
    """Raises `NotMember`, `LastOwner`."""
    _lock(application)
    member = _get(application, member_id)
    _keep_an_owner(application, member)
    member.delete()
    audit.record(
        "member.removed",
        application=application,
        subject=member.account.get_username(),
        by=by,
        now=now,
        before={"role": member.role},
    )
