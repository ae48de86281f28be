"""Validation of user ids, names and avatars; and a lock per id.

Invariant: every function that registers, deletes, deactivates, reactivates or bans an id, or edits
its lists, holds `lock` on it. This guarantees that no id is both registered and deactivated, and
that an unregistered id, which has no row to lock, has one open ban at most.
"""

import re
from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext

from applications.models import Environment
from applications.statements import Statement
from users.fields import USER_ID_MAX_LENGTH
from users.models import AVATAR_URL_MAX_LENGTH, NAME_MAX_LENGTH

# The union of what the three vendors document. No comma, which separates ids, and no slash, which
# separates path segments.
USER_ID_PATTERN = rf"^[A-Za-z0-9+=._-]{{1,{USER_ID_MAX_LENGTH}}}$"
_USER_ID = re.compile(USER_ID_PATTERN, re.ASCII)
# Control characters, and lone surrogates, which PostgreSQL cannot store.
_UNPRINTABLE = re.compile("[\x00-\x1f\ud800-\udfff]")
# The lock key for all users of an environment. It is not a valid user id.
_EVERYBODY = "/everybody"
_LOCK = Statement("SELECT users_lock(%s, %s::text[])")


class InvalidUserId(Exception):
    """The text is not 1 to 64 of: Latin letters, digits, and + = . _ -"""

    def __init__(self, user_id: str):
        super().__init__(
            gettext(
                "A user id is 1 to {user_id_max_length} Latin letters, digits, + = . _ or -"
            ).format(user_id_max_length=USER_ID_MAX_LENGTH)
        )
        self.user_id = user_id


class InvalidProfile(Exception):
    """A value is invalid; `field` is "name", "avatar_url" or "push_settings"."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


def check_user_id(user_id: str) -> str:
    """Return the id. Raises `InvalidUserId`, also for "." and "..", which browsers remove from the
    path of an address.
    """
    if not _USER_ID.fullmatch(user_id) or user_id in {".", ".."}:
        raise InvalidUserId(user_id)
    return user_id


def is_prefix(text: str) -> bool:
    """Whether an id can begin with this text."""
    return bool(_USER_ID.fullmatch(text))


def check_user_ids(user_ids: Iterable[str]) -> list[str]:
    """Return each id once, in order. Raises `InvalidUserId` for the first invalid id."""
    return [check_user_id(user_id) for user_id in dict.fromkeys(user_ids)]


def check_profile(*, name: str | None, avatar_url: str | None) -> None:
    """Validate a name and an avatar; None means "not given". Raises `InvalidProfile`."""
    if name is not None and (len(name) > NAME_MAX_LENGTH or _unprintable(name)):
        raise InvalidProfile(
            "name",
            gettext("A name has at most {name_max_length} printable characters").format(
                name_max_length=NAME_MAX_LENGTH
            ),
        )
    if avatar_url is not None and (
        len(avatar_url.encode(errors="replace")) > AVATAR_URL_MAX_LENGTH or _unprintable(avatar_url)
    ):
        raise InvalidProfile(
            "avatar_url",
            gettext("An avatar has at most {avatar_url_max_length} bytes").format(
                avatar_url_max_length=AVATAR_URL_MAX_LENGTH
            ),
        )


def is_text(value: object, most: int, *, multiline: bool = False) -> bool:
    """Whether it is text of at most `most` characters, without control characters or lone
    surrogates, which PostgreSQL cannot store. `multiline` allows tabs and line feeds.
    """
    if not isinstance(value, str) or len(value) > most:
        return False
    return not _unprintable(value.replace("\n", "").replace("\t", "") if multiline else value)


def _unprintable(text: str) -> bool:
    return bool(_UNPRINTABLE.search(text))


def lock(environment: Environment, user_ids: Iterable[str]) -> None:
    """`lock_by_key` for callers that have the environment."""
    lock_by_key(environment.pk, user_ids)


def lock_by_key(environment_id: int, user_ids: Iterable[str]) -> None:
    """Lock these ids until the transaction ends.

    Uses advisory locks on a 64-bit hash of (environment, id), taken in sorted order so that two
    callers cannot deadlock. A hash collision only makes unrelated callers wait.
    """
    _require_transaction()
    _LOCK.rows(environment_id, list(user_ids))


def lock_environment(environment: Environment) -> None:
    """Wait for all admissions to the gateway in this environment, and block further ones until the
    transaction ends.
    """
    _require_transaction()
    _LOCK.rows(environment.pk, [_EVERYBODY])


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("identity.lock needs a transaction")
