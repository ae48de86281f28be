"""The permissions of each role, in development and in production."""

from typing import Any

from django.db import models
from django.db.models import Exists, Q, QuerySet

from applications import second_factors
from applications.models import Application, Environment, Role


class Permission(models.TextChoices):
    VIEW = "view", "read"
    MANAGE_USERS = "manage_users", "manage users"
    MODERATE = "moderate", "ban, kick and edit lists"
    MANAGE_APPLICATION = "manage_application", "manage the application"
    MANAGE_MEMBERS = "manage_members", "manage members"
    LIFT_LOCKS = "lift_locks", "lift locks"


_VIEWER = frozenset({Permission.VIEW})
_MODERATOR = _VIEWER | {Permission.MODERATE}
_ADMIN = _MODERATOR | {Permission.MANAGE_USERS, Permission.MANAGE_APPLICATION}
_OWNER = _ADMIN | {Permission.MANAGE_MEMBERS, Permission.LIFT_LOCKS}
_TESTER_IN_DEVELOPMENT = _VIEWER | {Permission.MANAGE_USERS, Permission.MODERATE}


def permissions(role: str, kind: str) -> frozenset[Permission]:
    """What a role may do in an environment of this kind."""
    if role == Role.TESTER and kind == Environment.Kind.DEVELOPMENT:
        return _TESTER_IN_DEVELOPMENT
    return {
        Role.VIEWER: _VIEWER,
        Role.TESTER: _VIEWER,
        Role.MODERATOR: _MODERATOR,
        Role.ADMIN: _ADMIN,
        Role.OWNER: _OWNER,
    }[Role(role)]


def roles_with(permission: Permission, kind: str) -> list[Role]:
    return [role for role in Role if permission in permissions(role, kind)]


def applications_of(account: Any) -> QuerySet[Application]:
    """All applications of which the account is a member. It may not enter each of them: see
    `applications_entered_by`.
    """
    return Application.objects.filter(members__account=account)


def applications_entered_by(account: Any) -> QuerySet[Application]:
    """The applications whose data the account may read."""
    return applications_of(account).filter(
        Q(second_factor_required=False) | Exists(second_factors.of(account))
    )
