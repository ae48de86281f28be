"""Who may become a user's friend: anyone, anyone after approval, or nobody."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity
from users.models import AppUser, FriendPermission
from users.tokens import UnknownUsers


@transaction.atomic
def change(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    permission: FriendPermission,
    by: Actor,
    now: datetime,
) -> None:
    """Set who may become these users' friend. Raises `UnknownUsers`."""
    wanted = identity.check_user_ids(user_ids)
    before = get_many(environment=environment, user_ids=wanted)
    AppUser.objects.filter(environment=environment, user_id__in=wanted).update(
        friend_permission=permission
    )
    audit.record_many(
        AuditType.FRIEND_PERMISSION_CHANGED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (user_id, _audit_value(FriendPermission(old)), _audit_value(permission))
            for user_id, old in before.items()
            if old != permission
        ],
    )


def _audit_value(permission: FriendPermission) -> dict[str, str]:
    return {"permission": permission.label.lower()}


def get_many(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, int]:
    """user_id → FriendPermission value, in the order asked. Raises `UnknownUsers`."""
    wanted = list(dict.fromkeys(user_ids))
    known = dict(
        AppUser.objects.filter(environment=environment, user_id__in=wanted).values_list(
            "user_id", "friend_permission"
        )
    )
    if missing := set(wanted) - set(known):
        raise UnknownUsers(missing)
    return {user_id: known[user_id] for user_id in wanted}
