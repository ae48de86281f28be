"""Members of an application and their roles.

Invariants
----------
* An application that has an owner keeps at least one.
* An invitation works only for an account that has never signed in and is a member of one
  application only: an owner of one application cannot get into another.
* A role that follows groups (`applications.groups`) is not changed here, only taken away.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Application, Member, Role


class AlreadyMember(Exception):
    """The account already has a role in this application."""


class LastOwner(Exception):
    """The only owner cannot be removed or get a lower role: nobody could manage members."""


class NotMember(Exception):
    """No such member: somebody else has removed them in the meantime."""


class NotInvitable(Exception):
    """The account has a password or another way to sign in, may use Django admin, or is a member
    elsewhere too.
    """


class RoleOfGroups(Exception):
    """The role follows groups of the identity provider: it is changed there."""


class Invitations(PasswordResetTokenGenerator):
    """Tokens that set an account's first password. A token is invalid once it is used, older than
    `PASSWORD_RESET_TIMEOUT`, or the account's memberships have changed.
    """

    key_salt = "rollcall invitations"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        memberships = Member.objects.filter(account=user).order_by("pk")
        ids = list(memberships.values_list("pk", flat=True))
        return f"{super()._make_hash_value(user, timestamp)}{ids}"


invitations = Invitations()


def lock(application: Application) -> None:
    """Lock the members of an application before a change."""
    Application.objects.select_for_update(no_key=True).get(pk=application.pk)


def _get(application: Application, member_id: int) -> Member:
    try:
        return Member.objects.select_related("account").get(application=application, pk=member_id)
    except Member.DoesNotExist:
        raise NotMember from None


def is_last_owner(application: Application, member: Member) -> bool:
    others = Member.objects.filter(application=application, role=Role.OWNER).exclude(pk=member.pk)
    return member.role == Role.OWNER and not others.exists()


def _keep_an_owner(application: Application, member: Member) -> None:
    if is_last_owner(application, member):
        raise LastOwner


@transaction.atomic
def add(
    *, application: Application, username: str, role: Role, by: Actor, now: datetime
) -> tuple[Member, bool]:
    """Give an account a role. An unknown username creates an account that cannot sign in until a
    password is set; the second value says whether it was created. Raises `AlreadyMember`.
    """
    lock(application)
    account, invited = get_user_model().objects.get_or_create(
        username=username, defaults={"password": make_password(None)}
    )
    if Member.objects.filter(application=application, account=account).exists():
        raise AlreadyMember
    member = Member.objects.create(
        application=application, account=account, role=role, added_at=now, added_by=by.name
    )
    audit.record(
        AuditType.MEMBER_ADDED,
        application=application,
        subject=username,
        by=by,
        now=now,
        after={"role": role},
    )
    return member, invited


@transaction.atomic
def invite(*, application: Application, member_id: int, by: Actor, now: datetime) -> str:
    """A token of `Invitations` for the member, to set the account's first password. Raises
    `NotMember`, `NotInvitable`.
    """
    member = _get(application, member_id)
    account = member.account
    elsewhere = Member.objects.filter(account=account).exclude(pk=member.pk)
    can_sign_in = account.has_usable_password() or account.last_login is not None
    if can_sign_in or account.is_staff or elsewhere.exists():
        raise NotInvitable
    audit.record(
        AuditType.MEMBER_INVITED,
        application=application,
        subject=account.get_username(),
        by=by,
        now=now,
    )
    return invitations.make_token(account)


@transaction.atomic
def change_role(
    *, application: Application, member_id: int, role: Role, by: Actor, now: datetime
) -> None:
    """Raises `NotMember`, `LastOwner`, `RoleOfGroups`."""
    lock(application)
    member = _get(application, member_id)
    if member.role == role:
        return
    if member.by_groups:
        raise RoleOfGroups
    _keep_an_owner(application, member)
    before = member.role
    Member.objects.filter(pk=member.pk).update(role=role)
    audit.record(
        AuditType.MEMBER_CHANGED,
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
    lock(application)
    member = _get(application, member_id)
    _keep_an_owner(application, member)
    member.delete()
    audit.record(
        AuditType.MEMBER_REMOVED,
        application=application,
        subject=member.account.get_username(),
        by=by,
        now=now,
        before={"role": member.role},
    )
