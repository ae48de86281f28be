"""Finds the user whom a path or a body names.

This door registers ids in lower case and finds them in any case, or by UUID (`users.lookup`).
"""

from api.agora import wire
from api.agora.wire import Refusal, Refused
from applications.models import Environment
from users import lookup
from users.models import AppUser


def find(environment: Environment, name: str, unknown: Refusal = wire.NO_USER) -> AppUser:
    """The user of this name. Raises `Refused` with `unknown`."""
    user = lookup.by_name(environment, name)
    if user is None:
        raise Refused(unknown)
    return user
