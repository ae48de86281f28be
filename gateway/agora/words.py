"""The protocol's codes: for refused logins, for closed connections, and for refused messages.

Clients compare the reasons letter by letter.
"""

from enum import IntEnum
from typing import NamedTuple

from gateway.agora.frames import PutOut
from gateway.closings import Reason
from moderation.gates import ConnectRule, MessageRule
from users.extras import ExtraTooLong, InvalidExtra
from users.identity import InvalidUserId
from users.messages import ClientIdTaken, InvalidMessage, MessageTooLong
from users.tokens import UnknownUsers


class Code(IntEnum):
    FAIL = 1
    WRONG_PARAMETER = 4
    PERMISSION_DENIED = 7
    FORBIDDEN = 12
    TOO_MANY_DEVICES = 13
    # The reason is shown to the app as it is.
    EXTERNAL_LOGIC = 19


class Refusal(NamedTuple):
    code: int
    reason: str


_WRONG_TOKEN = Refusal(Code.FAIL, "Sorry, token or password does not match login info")

# Logins are not refused for other reasons: the socket is closed, and the client tries again.
LOGINS: dict[Reason, Refusal] = {
    Reason.UNKNOWN_TOKEN: _WRONG_TOKEN,
    Reason.REVOKED_TOKEN: _WRONG_TOKEN,
    Reason.SIGNED_OUT: _WRONG_TOKEN,
    Reason.WRONG_ENVIRONMENT: _WRONG_TOKEN,
    Reason.EXPIRED_TOKEN: Refusal(Code.FAIL, "Sorry, token expired"),
    Reason.DELETED: Refusal(Code.FAIL, "Sorry, user not found"),
    Reason.BANNED: Refusal(Code.FORBIDDEN, "banned"),
    Reason.DEACTIVATED: Refusal(Code.FORBIDDEN, "deactivated"),
    Reason.KICKED: Refusal(Code.FORBIDDEN, "kicked"),
    Reason.REPLACED: Refusal(Code.FORBIDDEN, "replaced"),
    Reason.TOO_MANY_CONNECTIONS: Refusal(Code.TOO_MANY_DEVICES, "too many devices"),
    Reason.TOO_MANY_ATTEMPTS: Refusal(Code.PERMISSION_DENIED, "Sorry, the app online count limit"),
    Reason.NO_CONNECT_FRAME: Refusal(Code.WRONG_PARAMETER, "wrong parameter"),
    Reason.ABUSE: Refusal(Code.WRONG_PARAMETER, "too many bad frames"),
}

# After any other reason the client comes back by itself.
CLOSINGS: dict[Reason, PutOut] = {
    Reason.DELETED: PutOut.REMOVED,
    Reason.DEACTIVATED: PutOut.REMOVED,
    Reason.SIGNED_OUT: PutOut.PASSWORD_CHANGED,
    Reason.BANNED: PutOut.FORCED,
    Reason.KICKED: PutOut.FORCED,
    Reason.REPLACED: PutOut.OTHER_DEVICE,
    Reason.ABUSE: PutOut.FORCED,
}


def external(reason: str) -> Refusal:
    """A refusal with a sentence of ours."""
    return Refusal(Code.EXTERNAL_LOGIC, reason)


UNSUPPORTED = external("Not supported here: only texts between two users are")
TOO_LONG = Refusal(Code.PERMISSION_DENIED, "Sorry, data is too large")
UNAVAILABLE = Refusal(Code.FAIL, "unavailable: send it again after a pause")
_UNKNOWN_RECIPIENT = Refusal(Code.FAIL, "username {recipient} doesn't exist!")
_MAILBOX_FULL = Refusal(Code.PERMISSION_DENIED, "traffic limit")

# Other rules refuse the sender, who is about to be disconnected.
GATES: dict[ConnectRule | MessageRule, Refusal] = {
    MessageRule.BLOCKED: Refusal(Code.FAIL, "blocked"),
    MessageRule.NOT_FRIENDS: Refusal(Code.FAIL, "nonroster"),
    MessageRule.NOT_ON_ALLOWLIST: Refusal(Code.FAIL, "not in group or chatroom white list"),
    MessageRule.MUTED: Refusal(Code.PERMISSION_DENIED, "user is mute"),
    MessageRule.UNKNOWN_RECIPIENT: _UNKNOWN_RECIPIENT,
    MessageRule.RECIPIENT_DEACTIVATED: _UNKNOWN_RECIPIENT,
    MessageRule.MAILBOX_FULL: _MAILBOX_FULL,
}

# None: the exception's own text.
ERRORS: dict[type[Exception], Refusal | None] = {
    ClientIdTaken: None,
    ExtraTooLong: TOO_LONG,
    InvalidExtra: None,
    MessageTooLong: TOO_LONG,
    InvalidMessage: None,
    InvalidUserId: _UNKNOWN_RECIPIENT,
    UnknownUsers: _UNKNOWN_RECIPIENT,
}
