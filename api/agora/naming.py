"""Users by the names that this door knows them by: the id, in any case of letters, or the UUID.

Ids that Agora's clients register are lower-case. Other doors may have registered others: an exact
match comes first.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from api.agora import wire
from api.agora.wire import Refusal, Refused
from applications.models import Environment
from users import identity
from users.models import AppUser


def names(name: str, user: AppUser) -> bool:
    """Whether it is a name of this user."""
    return user.user_id in {name, name.lower()} or user.uuid == _uuid(name)


def find(environment: Environment, name: str, unknown: Refusal = wire.NO_USER) -> AppUser:
    """Raises `Refused` with `unknown`."""
    user = find_or_none(environment, name)
    if user is None:
        raise Refused(unknown)
    return user


def find_or_none(environment: Environment, name: str) -> AppUser | None:
    return find_several(environment, [name]).get(name)


def find_several(environment: Environment, wanted: Iterable[str]) -> dict[str, AppUser]:
    """name → user, for the names that are known. One query."""
    possible = [name for name in dict.fromkeys(wanted) if _is_possible(name)]
    ids = {*possible, *(name.lower() for name in possible)}
    uuids = [uuid for name in possible if (uuid := _uuid(name))]
    known = Q(user_id__in=ids) | Q(uuid__in=uuids) if uuids else Q(user_id__in=ids)
    users = list(AppUser.objects.filter(known, environment=environment)) if possible else []
    by_name: dict[str | UUID, AppUser] = {user.uuid: user for user in users}
    by_name |= {user.user_id: user for user in users}
    found = {}
    for name in possible:
        for key in (name, name.lower(), _uuid(name)):
            if key is not None and key in by_name:
                found[name] = by_name[key]
                found[name].environment = environment
                break
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
