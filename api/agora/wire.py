"""Agora Chat's errors, and the table from every exception to one of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from django.core.exceptions import RequestDataTooBig
from django.http import UnreadablePostError
from django.urls import Resolver404
from django.utils import timezone
from ninja.errors import HttpError, ValidationError

from api import full_quota, vendor
from api.agora.settings import ErrorDialect
from api.answers import Answer
from api.offset_paging import PageTooFar
from api.ratelimit import RateExceeded
from api.signature import DoorClosed
from applications.guesses import GuessedTooOften
from applications.keyset import BadCursor
from moderation.bans import InvalidEnd
from moderation.lists import ListFull, ListsOneself
from moderation.mutes import InvalidMuteEnd
from users.attributes import AttributesTooLarge, InvalidAttribute
from users.deletion import NotInProduction
from users.friends import (
    BefriendsOneself,
    InvalidFriendProfile,
    NotFriends,
    RefusesFriends,
    TooManyFriends,
)
from users.hosted_profiles import InvalidField
from users.identity import InvalidProfile, InvalidUserId
from users.leases import LeaseRefused
from users.passwords import InvalidPassword
from users.quota import QuotaExceeded
from users.registration import UserDeactivated
from users.spelling import TakenInAnotherCase
from users.statuses import InvalidStatus, TooManySubscriptions
from users.tokens import UnknownUsers

ILLEGAL_ARGUMENT = "java.lang.IllegalArgumentException"


@dataclass(frozen=True)
class Refusal:
    """An error's status and body. A description of None means the exception's own text."""

    status: int
    error: str
    description: str | None = None
    exception: str = ""
    # Errors about attributes repeat the text in this key; "" stands for the description.
    desc: str | None = None


class Refused(Exception):
    """A refusal raised by this door. `words` fill the placeholders of its description."""

    def __init__(self, refusal: Refusal, **words: object):
        self.refusal = replace(refusal, description=(refusal.description or "").format(**words))
        super().__init__(self.refusal.description)


def with_desc(refusal: Refusal, text: str = "") -> Refusal:
    return replace(refusal, desc=text)


def _argument(description: str | None = None) -> Refusal:
    return Refusal(400, "illegal_argument", description, ILLEGAL_ARGUMENT)


def _grant(description: str, status: int = 400) -> Refusal:
    return Refusal(status, "invalid_grant", description)


# --- The request -------------------------------------------------------------------------------
INVALID = _argument("this is an invalid request.")
NOT_JSON = Refusal(400, "json_parse", "Unexpected character ({reason})", "JsonParseException")
USERNAME_REQUIRED = _argument("Entity user requires a property named username")
NOT_LEGAL = _argument("username [{name}] is not legal")
USERNAME_TOO_LONG = _argument("USERNAME_TOO_LONG")
PASSWORD_REQUIRED = _argument("password or pin must provided")
PASSWORD_TOO_LONG = _argument("PASSWORD_TOO_LONG")
NEW_PASSWORD_REQUIRED = _argument("newpassword is required")
NICKNAME_TOO_LONG = _argument("NICKNAME_TOO_LONG")
TOO_MANY_TO_REGISTER = _argument(
    "Request body array size[{number}] had almost reached or been greater than the upper range "
    "value[{most}]"
)
TOO_MANY_NAMES = _argument("request body exceeds maximum limit, maximum limit is {most}")
NO_NAMES = _argument("usernames is empty")
BLANK_USERNAME = _argument("username cannot be blank")
NUMBER_TO_CHECK = _argument("check_list size must be between 1 and 100")
REMARK_TOO_LONG = _argument("remark length must less than {most}")
TOO_MANY_TO_IMPORT = _argument("request user over flow limit:{most}.")
PAGE_TOO_LARGE = _argument("page size more than max limit : {most}")
MEDIA_TYPE = Refusal(415, "web_application", "Unsupported Media Type")
ATTRIBUTES_MEDIA_TYPE = with_desc(MEDIA_TYPE)
TOO_LARGE = Refusal(413, "Request Entity Too Large", "Request Entity Too Large")
ATTRIBUTES_TOO_LARGE = Refusal(
    403,
    "FORBIDDEN",
    "size of metadata for this single user exceeds the user defined limit, 2048Bytes",
    desc="",
)
WRONG_ATTRIBUTE = Refusal(400, "BAD_REQUEST", desc="")
TOO_MANY_ATTRIBUTES = Refusal(
    400, "BAD_REQUEST", "exceed allowed batch size {most}", ILLEGAL_ARGUMENT, desc=""
)
GRANT_TYPE = Refusal(400, "unsupported_grant_type", "Unable to authenticate (OAuth)")

# --- App and user ------------------------------------------------------------------------------
NO_APPLICATION = Refusal(
    404,
    "organization_application_not_found",
    "Could not find application for {org}/{app} from URI: {org}/{app}/{rest}",
)
NO_USER = Refusal(
    404, "service_resource_not_found", "Service resource not found", "UserNotFoundException"
)
NO_USER_ENTITY = Refusal(404, "entity_not_found", "User null not found", "EntityNotFoundException")
NO_USER_TO_MUTE = Refusal(
    400, "required_property_not_found", "Entity user requires a property named username"
)
TAKEN = Refusal(
    400,
    "duplicate_unique_property_exists",
    "Application {application} Entity user requires that property named username be unique, "
    "value of {name} exists",
    "DuplicateUniquePropertyExistsException",
)
TWO_PASSWORDS = Refusal(
    400,
    "duplicate_unique_property_exists",
    "the same user {name} has a different password",
    "DuplicateUniquePropertyExistsException",
)
DISABLED = Refusal(403, "forbidden_service_operation", "Service operation not allowed")
FORBIDDEN = Refusal(403, "forbidden_op")
# Web clients compare these two texts.
INVITER_FULL = Refusal(403, "exceed_limit", "Inviter's contact max count")
INVITEE_FULL = Refusal(403, "exceed_limit", "Invitee's contact max count")
TOO_MANY_SUBSCRIPTIONS = Refusal(403, "exceed_limit")
LIST_FULL = Refusal(403, "exceed_limit")
QUOTA_EXCEEDED = Refusal(429, "resource_limited")

# --- The door ----------------------------------------------------------------------------------
NO_CALL = replace(NO_USER, exception="ServiceResourceNotFoundException")
# For paths with one of these words. Web clients compare the text, and name the error after it.
NOT_OFFERED = Refusal(403, "forbidden_op", "service not open!")
_NOT_OFFERED = (
    *("chatgroups", "chatrooms", "chatfiles", "share_files", "thread", "reaction", "roaming"),
    *("user_channel", "combine", "notification", "translate", "speech", "moderation"),
)
WRONG_METHOD = Refusal(405, "unsupported_service_operation", "Service operation not supported")
TOO_OFTEN = Refusal(429, "reach_limit", "This request has reached api limit")
INTERNAL = Refusal(500, "internal_server_error")
UNAVAILABLE = Refusal(503, "service_unavailable")

# --- Credentials -------------------------------------------------------------------------------
GRANT_UNKNOWN_CLIENT = _grant("client_id does not match")
GRANT_WRONG_SECRET = _grant("client_secret does not match")
GRANT_WRONG_PASSWORD = _grant("invalid password")
OLD_PASSWORD_REQUIRED = _grant("oldpassword is required with a user's own token")
GRANT_BANNED = _grant("user not activated")
GRANT_NO_USER = _grant("user not found", status=404)


class Failure(Enum):
    """Why a token is refused."""

    MISSING = "missing"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    NOT_OURS = "not ours"
    OTHER_APP = "other app"


def _unauthorized(description: str, error: str = "unauthorized") -> Refusal:
    return Refusal(401, error, description, "EasemobSecurityException")


_BAD = "auth_bad_access_token"
_EXPIRED = _unauthorized("Unable to authenticate due to expired access token")
_OAUTH = _unauthorized("Unable to authenticate (OAuth)")
_CORRUPT = _unauthorized("Unable to authenticate due to corrupt access token", _BAD)
_CLOSED = _unauthorized("registration is not open, please contact the app admin")
_NEEDS_TOKEN = _unauthorized("Open registration doesn't allow, so register user need token,")

NOT_PERMITTED = _unauthorized(
    "Subject does not have permission [applications:{verb}:{application}:{path}]"
)
UNAUTHORIZED: Mapping[str, Mapping[Failure, Refusal]] = {
    ErrorDialect.AGORA: {
        Failure.MISSING: _EXPIRED,
        Failure.EXPIRED: _EXPIRED,
        Failure.MALFORMED: _CORRUPT,
        Failure.NOT_OURS: _unauthorized("Unable to authenticate", _BAD),
        Failure.OTHER_APP: _unauthorized("Unable to authenticate", _BAD),
    },
    ErrorDialect.EASEMOB: {**dict.fromkeys(Failure, _OAUTH), Failure.OTHER_APP: _CORRUPT},
}
REGISTRATION_UNAUTHORIZED: Mapping[str, Mapping[Failure, Refusal]] = {
    ErrorDialect.AGORA: dict.fromkeys(Failure, _CLOSED),
    ErrorDialect.EASEMOB: {**UNAUTHORIZED[ErrorDialect.EASEMOB], Failure.MISSING: _NEEDS_TOKEN},
}


# --- Exceptions --------------------------------------------------------------------------------
def _ninja_refusal(error: HttpError) -> Refusal:
    """Ninja wraps the body parser's exception in its own."""
    cause = error.__cause__
    return cause.refusal if isinstance(cause, Refused) else INVALID


def _unknown_call(error: Resolver404) -> Refusal:
    return NOT_OFFERED if any(word in error.args[0]["path"] for word in _NOT_OFFERED) else NO_CALL


def _quota_refusal(error: QuotaExceeded) -> Refusal:
    return replace(
        QUOTA_EXCEEDED,
        description="You have exceeded the limit of the trial edition. Please upgrade to higher "
        f"edition. {error}",
    )


REFUSALS: Mapping[type[Exception], Refusal | Callable[..., Refusal]] = {
    Refused: lambda error: error.refusal,
    # The door
    Resolver404: _unknown_call,
    vendor.WrongMethod: WRONG_METHOD,
    vendor.Crashed: INTERNAL,
    vendor.DatabaseLost: UNAVAILABLE,
    DoorClosed: DISABLED,
    RateExceeded: TOO_OFTEN,
    # Its text says how long: otherwise clients retry every second.
    GuessedTooOften: replace(TOO_OFTEN, description=None),
    # The body
    RequestDataTooBig: TOO_LARGE,
    UnreadablePostError: INVALID,
    ValidationError: INVALID,
    HttpError: _ninja_refusal,
    BadCursor: _argument("cursor does not belong to this list"),
    PageTooFar: _argument(),
    InvalidUserId: NO_USER,
    InvalidProfile: lambda error: NICKNAME_TOO_LONG if error.field == "name" else INVALID,
    InvalidPassword: PASSWORD_TOO_LONG,
    # The domain
    UnknownUsers: NO_USER,
    UserDeactivated: DISABLED,
    TakenInAnotherCase: replace(TAKEN, description=None),
    QuotaExceeded: _quota_refusal,
    NotInProduction: replace(
        FORBIDDEN,
        description="Users in production can be deleted only while an owner has unlocked deletion",
    ),
    TooManyFriends: INVITER_FULL,
    BefriendsOneself: _argument(),
    RefusesFriends: FORBIDDEN,
    NotFriends: _argument("updateRemark | they are not friends, please add as a friend first."),
    InvalidFriendProfile: _argument(),
    InvalidField: _argument(),
    InvalidStatus: _argument(),
    TooManySubscriptions: TOO_MANY_SUBSCRIPTIONS,
    LeaseRefused: _argument(),
    InvalidEnd: INVALID,
    InvalidMuteEnd: INVALID,
    ListFull: LIST_FULL,
    ListsOneself: _argument(),
    AttributesTooLarge: ATTRIBUTES_TOO_LARGE,
    InvalidAttribute: WRONG_ATTRIBUTE,
}


def refuse(entry: Refusal | Callable[..., Refusal], error: Exception) -> Answer:
    """The answer for an exception and its entry in the table."""
    found = entry if isinstance(entry, Refusal) else entry(error)
    text = found.description if found.description is not None else str(error)
    body = {
        "error": found.error,
        **({"exception": found.exception} if found.exception else {}),
        **({"desc": found.desc or text} if found.desc is not None else {}),
        "timestamp": int(timezone.now().timestamp() * 1000),
        "duration": 0,
        "error_description": text,
        **({"quota": full_quota.details(error)} if isinstance(error, QuotaExceeded) else {}),
        **({"retry_after": error.seconds} if isinstance(error, GuessedTooOften) else {}),
    }
    answer = Answer.of(body, status=found.status)
    if isinstance(error, vendor.WrongMethod):
        answer.headers["Allow"] = error.allowed
    return answer
