"""Finds users by name: the id in upper or lower case, or the UUID.

In environments that ignore case (`users.spelling`), older ids may differ in case alone: an exact
match comes first, then the lower-case spelling, then the user who registered first.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from applications.models import Environment
from users import identity
from users.fields import in_any_case
from users.models import AppUser


def is_name_of(name: str, user: AppUser) -> bool:
    """Whether `by_name` finds this user by the name."""
    if name == user.user_id or user.uuid == _uuid(name):
        return True
    if name.lower() != user.user_id.lower():
        return False
    found = by_name(user.environment, name)
    return found is not None and found.pk == user.pk


def by_name(environment: Environment, name: str) -> AppUser | None:
    """The user of this name, if any. One query."""
    return by_names(environment, [name]).get(name)


def by_names(environment: Environment, wanted: Iterable[str]) -> dict[str, AppUser]:
    """The users by name; unknown names are left out. One query."""
    possible = [name for name in dict.fromkeys(wanted) if _is_possible(name)]
    if not possible:
        return {}
    uuids = [uuid for name in possible if (uuid := _uuid(name))]
    known = in_any_case(possible) | Q(uuid__in=uuids) if uuids else in_any_case(possible)
    users = list(AppUser.objects.filter(known, environment=environment).order_by("-pk"))
    # The last assignment wins: the user who registered first.
    by_case = {user.user_id.lower(): user for user in users}
    by_id = {user.user_id: user for user in users}
    by_uuid = {user.uuid: user for user in users}
    found = {}
    for name in possible:
        folded = name.lower()
        user = (
            by_id.get(name)
            or by_id.get(folded)
            or by_case.get(folded)
            or (by_uuid.get(uuid) if (uuid := _uuid(name)) else None)
        )
        if user is not None:
            user.environment = environment
            found[name] = user
    return found


def _is_possible(name: str) -> bool:
    try:
        identity.check_user_id(name)
    except identity.InvalidUserId:
        return False
    return True


def _uuid(name: str) -> UUID | None:
    if len(name) != 36:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None
