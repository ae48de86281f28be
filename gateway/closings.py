"""Why a connection is refused or closed. Each protocol has its own codes for the reasons, in its
`words.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from gateway.inbound import Frame
from users.models import KickReason
from users.presence import Kick


class Reason(StrEnum):
    # A retry needs another token, or must wait until the user may connect again.
    UNKNOWN_TOKEN = "unknown_token"
    EXPIRED_TOKEN = "expired_token"
    REVOKED_TOKEN = "revoked_token"
    WRONG_ENVIRONMENT = "wrong_environment"
    BANNED = "banned"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"
    SIGNED_OUT = "signed_out"
    # The client may reconnect, at once or after a pause.
    KICKED = "kicked"
    REPLACED = "replaced"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    SLOW_READER = "slow_reader"
    INTERNAL_ERROR = "internal_error"
    RESTARTING = "restarting"
    UNAVAILABLE = "unavailable"
    # Errors of the client.
    NO_CONNECT_FRAME = "no_connect_frame"
    ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Closing:
    """A reason and what the client may be told of it. `message` is for people; `until` is the end
    of the reason if it is known; `why` is a ban's reason if staff chose to tell it.
    """

    reason: Reason
    message: str = ""
    until: datetime | None = None
    why: str = ""

    @classmethod
    def of(cls, kick: Kick) -> "Closing":
        return cls(_reason_of(kick.reason), until=kick.until, why=kick.why)


@dataclass(frozen=True, slots=True)
class Farewell:
    """How a protocol says that a connection is closed: last frames, and the WebSocket's close code
    and reason.
    """

    frames: tuple[Frame, ...] = ()
    code: int = 1000
    reason: str = ""


class Closed(Exception):
    """The connection is over. `closing` is None if the client closed it."""

    def __init__(self, closing: Closing | None):
        super().__init__(closing)
        self.closing = closing


def _reason_of(reason: KickReason) -> Reason:
    match reason:
        case KickReason.BANNED:
            return Reason.BANNED
        case KickReason.DEACTIVATED:
            return Reason.DEACTIVATED
        case KickReason.DELETED:
            return Reason.DELETED
        case KickReason.SIGNED_OUT:
            return Reason.SIGNED_OUT
        case KickReason.KICKED:
            return Reason.KICKED
        case KickReason.REPLACED:
            return Reason.REPLACED
        case _:
            assert_never(reason)
