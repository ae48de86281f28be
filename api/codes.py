"""RongCloud's error codes, which Nexconn took over: the one table from exception to code.

A vendor's `wire.py` puts the codes into its envelope, and says where it differs.

Decided here, where no vendor says:
* Whatever is wrong with a parameter is 1002, but for what is too long (1005), too many (1502) or of
  another type (1501). The text names the parameter, or the id that is at fault.
* An unknown user is 400, where a call needs the user at all; a deactivated one, and one that is
  still cooling off, are 1002. 401 would send an app server's author to look for a wrong secret.
* A wrong field of a hosted profile is named twice: in the text, and under `profileKey`.
* A missing or unknown App-Key is 1002, any other fault of the signature 1004.
* A wrong method is 1003 ("no POST data") with HTTP 405, an oversized body 1508 with 413.
* A lost database is 1000 with HTTP 503.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, UnreadablePostError
from django.urls import Resolver404
from ninja import Schema
from ninja.errors import HttpError, ValidationError

from api import vendor
from api.numbered import PageTooFar
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
from users.quota import QuotaExceeded
from users.registration import UserDeactivated
from users.tags import InvalidTags
from users.tokens import MomentAhead, UnknownUsers


@dataclass(frozen=True)
class Refusal:
    """A code, its HTTP status, and the text; None: what the exception says."""

    code: int
    status: int
    message: str | None = None
    # Further members of the body.
    more: Sequence[tuple[str, str]] = ()


# What a table has for an exception: a refusal, or what makes one of it.
Entry = Refusal | Callable[..., Refusal]

NOTHING_ELSE: Mapping[Refusal, Refusal] = {}
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


def _of_user_id(error: InvalidUserId) -> Refusal:
    too_long = len(error.user_id.encode(errors="replace")) > USER_ID_MAX_LENGTH
    return replace(
        TOO_LONG if too_long else PARAMETER, message=f"{error}, not {error.user_id[:80]!r}"
    )


# What Pydantic calls it.
_KINDS = {"string_too_long": TOO_LONG, "too_long": TOO_MANY, "json": WRONG_TYPE}


def of_validation(error: ValidationError) -> Refusal:
    """Of several mistakes, the first."""
    first = error.errors[0]
    # Before the field stand where it was looked for, and the name of the view's argument.
    path = [str(part) for part in first["loc"] if part not in {"body", "form"}]
    wrong_type = first["type"].endswith(("_type", "_parsing"))
    kind = WRONG_TYPE if wrong_type else _KINDS.get(first["type"], PARAMETER)
    return replace(kind, message=f"{'.'.join(path) or 'The body'}: {first['msg']}")


def _of_field(refusal: Refusal) -> Callable[[InvalidField], Refusal]:
    return lambda error: replace(refusal, message=str(error), more=(("profileKey", error.key),))


def _of_ninja(error: HttpError) -> Refusal:
    """Ninja hides what its body parser raised behind an error of its own."""
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
    UnreadablePostError: replace(PARAMETER, message="The body broke off"),
    vendor.UnreadableBody: PARAMETER,
    ValidationError: of_validation,
    HttpError: _of_ninja,
    BadCursor: replace(PARAMETER, message="pageToken: not one of this list"),
    PageTooFar: PARAMETER,
    InvalidUserId: _of_user_id,
    InvalidProfile: PARAMETER,
    # The domain
    QuotaExceeded: QUOTA,
    UnknownUsers: UNKNOWN_USER,
    MomentAhead: PARAMETER,
    UserDeactivated: PARAMETER,
    CoolingOff: PARAMETER,
    InvalidEnd: PARAMETER,
    ListFull: TOO_MANY,
    ListsOneself: PARAMETER,
    InvalidMuteEnd: PARAMETER,
    InvalidField: _of_field(PARAMETER),
    FieldTooLong: _of_field(TOO_LONG),
    TooManyFields: _of_field(TOO_MANY),
    InvalidTags: PARAMETER,
    BefriendsOneself: PARAMETER,
    RefusesFriends: PARAMETER,
    TooManyFriends: TOO_MANY,
    NotFriends: PARAMETER,
    InvalidFriendProfile: PARAMETER,
}


class Error(Schema):
    """A refusal. `profileKey` names the field where one of a hosted profile is at fault."""

    code: int
    errorMessage: str
    profileKey: str = ""


# What any call may be refused with, and what that means.
ANY_CALL: Mapping[Refusal, str] = {
    PARAMETER: "a parameter is missing or wrong, or somebody is deactivated; also a missing or "
    "unknown App-Key. The text names it.",
    UNKNOWN_USER: "somebody is not registered: the text says who.",
    WRONG_TYPE: "a parameter is of another type.",
    TOO_LONG: "a parameter is too long.",
    TOO_MANY: "too many ids or tags in a call, or too many on a list.",
    SIGNATURE: "the signature is missing or wrong.",
    NOT_POSTED: "calls are made with POST.",
    TOO_LARGE: "the body is too large.",
    TOO_OFTEN: "more of this call than a second allows.",
    NOT_ENABLED: "the application's owners have closed this door.",
    INTERNAL: "something broke here; the log knows what.",
    UNAVAILABLE: "the database cannot be reached just now, or used nonces cannot be looked up.",
}


def errors_of(
    any_call: Mapping[Refusal, str],
    own: Mapping[str, Mapping[Refusal, str]],
    *,
    instead: Mapping[Refusal, Refusal] = NOTHING_ELSE,
) -> Callable[[str], Sequence[ErrorAnswer]]:
    """A vendor's refusals by call: those of any call, and a few calls' own. Causes that share a
    code share a line. `instead` is as in `in_codes_of`.
    """

    def errors(call_name: str) -> Sequence[ErrorAnswer]:
        lines: dict[tuple[int, int], list[str]] = {}
        for refusal, meaning in (*any_call.items(), *own.get(call_name, {}).items()):
            said = instead.get(refusal, refusal)
            lines.setdefault((said.status, said.code), []).append(meaning)
        return [
            ErrorAnswer(status, code, " Or: ".join(meanings))
            for (status, code), meanings in lines.items()
        ]

    return errors


def in_codes_of(
    instead: Mapping[Refusal, Refusal], table: Mapping[type[Exception], Entry]
) -> Mapping[type[Exception], Entry]:
    """The table for a vendor that has no codes for some causes, and what it answers there instead.
    Texts stay.
    """
    by_code = {refusal.code: other for refusal, other in instead.items()}

    def said(found: Refusal) -> Refusal:
        other = by_code.get(found.code, found)
        return replace(found, code=other.code, status=other.status)

    def entry(known: Entry) -> Entry:
        return said(known) if isinstance(known, Refusal) else lambda error: said(known(error))

    return {kind: entry(known) for kind, known in table.items()}


def refuse(entry: Entry, error: Exception) -> HttpResponse:
    """The answer that a table's entry makes of an exception."""
    found = entry if isinstance(entry, Refusal) else entry(error)
    text = found.message if found.message is not None else str(error)
    response = HttpResponse(
        json.dumps({"code": found.code, "errorMessage": text, **dict(found.more)}),
        status=found.status,
        content_type="application/json; charset=utf-8",
    )
    if isinstance(error, vendor.WrongMethod):
        response["Allow"] = error.allowed
    return response
