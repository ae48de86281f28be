"""Which text may be a `user_id`, a name, an avatar; and one lock per id.

Invariant: every verb that registers, deletes, deactivates, reactivates or bans an id, or edits its
lists, holds `lock` on it. That is what keeps "registered" and "deactivated" apart, and lets
unregistered ids, which have no row to lock, be banned once.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from django.db import connection

from applications.models import Environment
from users.fields import USER_ID_MAX_LENGTH
from users.models import AVATAR_URL_MAX_LENGTH, NAME_MAX_LENGTH

# The union of what the three vendors document. A comma could not be told from a separator, and a
# slash not from a path.
USER_ID_PATTERN = rf"^[A-Za-z0-9+=._-]{{1,{USER_ID_MAX_LENGTH}}}$"
_USER_ID = re.compile(USER_ID_PATTERN, re.ASCII)
# What stands for all users of an environment among the locks: no id looks like that.
_EVERYBODY = "/everybody"


class InvalidUserId(Exception):
    """Not 1 to 64 of: Latin letters, digits, and + = . _ -"""

    def __init__(self, user_id: str):
        super().__init__(
            f"A user id is 1 to {USER_ID_MAX_LENGTH} Latin letters, digits, + = . _ or -"
        )
        self.user_id = user_id


class InvalidProfile(Exception):
    """A name or avatar out of bounds; `field` is "name" or "avatar_url"."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


def check_user_id(user_id: str) -> str:
    """The id itself, or `InvalidUserId`. The names of folders ("." and "..") are refused, for a
    browser resolves them away in an address.
    """
    if not _USER_ID.fullmatch(user_id) or user_id in {".", ".."}:
        raise InvalidUserId(user_id)
    return user_id


def is_prefix(text: str) -> bool:
    """Whether an id could begin with this."""
    return bool(_USER_ID.fullmatch(text))


def check_user_ids(user_ids: Iterable[str]) -> list[str]:
    """Each id once, in order; `InvalidUserId` names the first bad one."""
    return [check_user_id(user_id) for user_id in dict.fromkeys(user_ids)]


def check_profile(*, name: str | None, avatar_url: str | None) -> None:
    """None means "not given". Raises `InvalidProfile`."""
    if name is not None and (len(name) > NAME_MAX_LENGTH or _unprintable(name)):
        raise InvalidProfile("name", f"A name has at most {NAME_MAX_LENGTH} printable characters")
    if avatar_url is not None and (
        len(avatar_url.encode(errors="replace")) > AVATAR_URL_MAX_LENGTH or _unprintable(avatar_url)
    ):
        raise InvalidProfile("avatar_url", f"An avatar has at most {AVATAR_URL_MAX_LENGTH} bytes")


def is_text(value: object, most: int, *, multiline: bool = False) -> bool:
    """Whether it is text of at most `most` characters that every store can keep."""
    if not isinstance(value, str) or len(value) > most:
        return False
    return not _unprintable(value.replace("\n", "").replace("\t", "") if multiline else value)


def _unprintable(text: str) -> bool:
    """Control characters and lone surrogates: PostgreSQL stores neither NUL nor the latter."""
    return any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in text)


def lock(environment: Environment, user_ids: Iterable[str]) -> None:
    """`lock_by_key` for whoever has the environment at hand."""
    lock_by_key(environment.pk, user_ids)


def lock_by_key(environment_id: int, user_ids: Iterable[str]) -> None:
    """Wait until no other transaction works on any of these ids, and hold them until it ends.

    Advisory locks on a 64-bit hash of (environment, id), taken in sorted order so that two callers
    cannot block each other; a collision only makes strangers wait.
    """
    keys = sorted(lock_key(environment_id, user_id) for user_id in user_ids)
    _take("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def lock_environment(environment: Environment) -> None:
    """Wait until nobody is being let into the environment, and let nobody in until it ends."""
    _take("SELECT pg_advisory_xact_lock(%s)", [lock_key(environment.pk, _EVERYBODY)])


def lock_to_let_in(environment_id: int, user_id: str) -> None:
    """`lock_by_key` on a user who is being let in; `lock_environment` waits for it."""
    _take(
        "SELECT pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s)",
        [lock_key(environment_id, _EVERYBODY), lock_key(environment_id, user_id)],
    )


def lock_key(environment_id: int, user_id: str) -> int:
    """What PostgreSQL knows the lock by: one for all spellings of an id in upper and lower case."""
    text = f"{environment_id}:{user_id.lower()}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)


def _take(statement: str, keys: list[Any]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("identity.lock belongs into a transaction")
    with connection.cursor() as cursor:
        cursor.execute(statement, keys)
