"""The table from exceptions to RongCloud's error codes, which Nexconn uses too.

A vendor's `wire.py` lists its differences.

Decided here, because no manual says:
* A wrong parameter is 1002, unless it is too long (1005), has too many items (1502) or has the
  wrong type (1501). The text names the parameter or the id.
* An unknown user is 400, in calls that need the user to exist. A deactivated user and one that is
  still cooling off are 1002. With 401, developers would look for a wrong secret.
* A wrong field of a hosted profile is named in the text and under `profileKey`.
* A missing or unknown App-Key is 1002, any other fault of the signature 1004.
* A wrong method is 1003 ("no POST data") with HTTP 405, an oversized body 1508 with 413.
* A lost database is 1000 with HTTP 503.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.urls import Resolver404
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel

from api import full_quota, vendor
from api.answers import Answer
from api.offset_paging import PageTooFar
from api.ratelimit import RateExceeded
from api.signature import BadSignature, DoorClosed, NoncesAway, UnknownAppKey
from api.vendor import ErrorAnswer
from applications.keyset import BadCursor
from moderation.bans import InvalidEnd
from moderation.lists import ListFull, ListsOneself
from moderation.mutes import InvalidMuteEnd
from users.deactivation import CoolingOff
from users.fields import USER_ID_MAX_LENGTH
from users.friends import (
    BefriendsOneself,
    InvalidFriendProfile,
    NotFriends,
    RefusesFriends,
    TooManyFriends,
)
from users.hosted_profiles import FieldTooLong, InvalidField, TooManyFields
from users.identity import InvalidProfile, InvalidUserId
from users.leases import LeaseRefused
from users.quota import QuotaExceeded
from users.registration import UserDeactivated
from users.tags import InvalidTags
from users.tokens import TimeInFuture, UnknownUsers


@dataclass(frozen=True)
class Refusal:
    """A code, its HTTP status and the text. A text of None means the exception's own text."""

    code: int
    status: int
    message: str | None = None
    # Further members of the body.
    extra: Sequence[tuple[str, Any]] = ()


# What the table maps an exception to: a refusal, or a function from the exception to a refusal.
Entry = Refusal | Callable[..., Refusal]

NO_REPLACEMENTS: Mapping[Refusal, Refusal] = {}
UNKNOWN_USER = Refusal(400, 400)
INTERNAL = Refusal(1000, 500)
UNAVAILABLE = replace(INTERNAL, status=503)
PARAMETER = Refusal(1002, 400)
NOT_POSTED = Refusal(1003, 405)
SIGNATURE = Refusal(1004, 401)
TOO_LONG = Refusal(1005, 400)
TOO_OFTEN = Refusal(1008, 429)
NOT_ENABLED = Refusal(1009, 430)
WRONG_TYPE = Refusal(1501, 400)
TOO_MANY = Refusal(1502, 400)
TOO_LARGE = Refusal(1508, 413)
QUOTA = Refusal(2007, 403)
UNKNOWN_CALL = Refusal(404, 404, "No such call")


def _user_id_refusal(error: InvalidUserId) -> Refusal:
    too_long = len(error.user_id.encode(errors="replace")) > USER_ID_MAX_LENGTH
    return replace(
        TOO_LONG if too_long else PARAMETER, message=f"{error}, not {error.user_id[:80]!r}"
    )


# By Pydantic's error type.
_KINDS = {
    "string_too_long": TOO_LONG,
    "too_long": TOO_MANY,
    "json": WRONG_TYPE,
    "model_type": PARAMETER,  # not an object, so its members are missing
}


def validation_refusal(error: ValidationError) -> Refusal:
    """The refusal of the first validation error."""
    first = error.errors[0]
    # Ninja prefixes the field with the source and the name of the view's argument.
    path = [str(part) for part in first["loc"] if part not in {"body", "form"}]
    wrong_type = first["type"].endswith(("_type", "_parsing"))
    kind = _KINDS.get(first["type"], WRONG_TYPE if wrong_type else PARAMETER)
    return replace(kind, message=f"{'.'.join(path) or 'The body'}: {first['msg']}")


def _field_refusal(refusal: Refusal) -> Callable[[InvalidField], Refusal]:
    return lambda error: replace(refusal, message=str(error), extra=(("profileKey", error.key),))


def _quota_refusal(error: QuotaExceeded) -> Refusal:
    return replace(QUOTA, extra=(("quota", full_quota.details(error)),))


def _ninja_refusal(error: HttpError) -> Refusal:
    """Ninja wraps the body parser's exception in its own."""
    return replace(PARAMETER, message=str(error.__cause__ or error))


REFUSALS: Mapping[type[Exception], Entry] = {
    # The door
    Resolver404: UNKNOWN_CALL,
    vendor.WrongMethod: NOT_POSTED,
    vendor.Crashed: INTERNAL,
    vendor.DatabaseLost: UNAVAILABLE,
    UnknownAppKey: PARAMETER,
    BadSignature: SIGNATURE,
    NoncesAway: UNAVAILABLE,
    DoorClosed: NOT_ENABLED,
    RateExceeded: TOO_OFTEN,
    # The body
    RequestDataTooBig: replace(TOO_LARGE, message="The request body is too large"),
    UnreadablePostError: replace(PARAMETER, message="The body is incomplete"),
    vendor.UnreadableBody: PARAMETER,
    ValidationError: validation_refusal,
    HttpError: _ninja_refusal,
    BadCursor: replace(PARAMETER, message="pageToken: does not belong to this list"),
    PageTooFar: PARAMETER,
    InvalidUserId: _user_id_refusal,
    InvalidProfile: PARAMETER,
    # The domain
    QuotaExceeded: _quota_refusal,
    UnknownUsers: UNKNOWN_USER,
    TimeInFuture: PARAMETER,
    UserDeactivated: PARAMETER,
    LeaseRefused: PARAMETER,
    CoolingOff: PARAMETER,
    InvalidEnd: PARAMETER,
    ListFull: TOO_MANY,
    ListsOneself: PARAMETER,
    InvalidMuteEnd: PARAMETER,
    InvalidField: _field_refusal(PARAMETER),
    FieldTooLong: _field_refusal(TOO_LONG),
    TooManyFields: _field_refusal(TOO_MANY),
    InvalidTags: PARAMETER,
    BefriendsOneself: PARAMETER,
    RefusesFriends: PARAMETER,
    TooManyFriends: TOO_MANY,
    NotFriends: PARAMETER,
    InvalidFriendProfile: PARAMETER,
}


class Error(BaseModel):
    """A refusal. `profileKey` names the wrong field of a hosted profile. If the quota is full,
    `quota` has `limit`, `used`, and `candidates` to delete, each with `user_id` and `reason`.
    """

    code: int
    errorMessage: str
    profileKey: str = ""
    quota: dict[str, Any] = {}


# Refusals that any call may return, with their meanings.
ANY_CALL: Mapping[Refusal, str] = {
    PARAMETER: "a parameter or the App-Key is missing or wrong, or a user is deactivated. The text "
    "names it.",
    UNKNOWN_USER: "a user is not registered. The text names the user.",
    WRONG_TYPE: "a parameter has the wrong type.",
    TOO_LONG: "a parameter is too long.",
    TOO_MANY: "too many ids or tags in the call, or too many entries on a list.",
    SIGNATURE: "the signature is missing or wrong.",
    NOT_POSTED: "the method is not POST.",
    TOO_LARGE: "the body is too large.",
    TOO_OFTEN: "the rate limit of this call is exceeded.",
    NOT_ENABLED: "the application's owners have switched this API off.",
    INTERNAL: "an internal error. The server's log has the details.",
    UNAVAILABLE: "the database, or the store of used nonces, cannot be reached.",
}


def errors_by_call(
    any_call: Mapping[Refusal, str],
    own: Mapping[str, Mapping[Refusal, str]],
    *,
    replacements: Mapping[Refusal, Refusal] = NO_REPLACEMENTS,
) -> Callable[[str], Sequence[ErrorAnswer]]:
    """A function from a call's name to its refusals: those of any call and the call's own.
    Meanings that share a code are joined. `replacements` is as in `replace_codes`.
    """

    def errors(call_name: str) -> Sequence[ErrorAnswer]:
        lines: dict[tuple[int, int], list[str]] = {}
        for refusal, meaning in (*any_call.items(), *own.get(call_name, {}).items()):
            replacement = replacements.get(refusal, refusal)
            lines.setdefault((replacement.status, replacement.code), []).append(meaning)
        return [
            ErrorAnswer(status, code, " Or: ".join(meanings))
            for (status, code), meanings in lines.items()
        ]

    return errors


def replace_codes(
    replacements: Mapping[Refusal, Refusal], table: Mapping[type[Exception], Entry]
) -> Mapping[type[Exception], Entry]:
    """The table with some codes replaced, for a vendor that does not have them. Texts stay."""
    by_code = {refusal.code: other for refusal, other in replacements.items()}

    def replaced(found: Refusal) -> Refusal:
        other = by_code.get(found.code, found)
        return replace(found, code=other.code, status=other.status)

    def entry(known: Entry) -> Entry:
        return (
            replaced(known) if isinstance(known, Refusal) else lambda error: replaced(known(error))
        )

    return {kind: entry(known) for kind, known in table.items()}


def refuse(entry: Entry, error: Exception) -> Answer:
    """The answer for an exception and its entry in the table."""
    found = entry if isinstance(entry, Refusal) else entry(error)
    text = found.message if found.message is not None else str(error)
    answer = Answer.of(
        {"code": found.code, "errorMessage": text, **dict(found.extra)}, status=found.status
    )
    if isinstance(error, vendor.WrongMethod):
        answer.headers["Allow"] = error.allowed
    return answer
