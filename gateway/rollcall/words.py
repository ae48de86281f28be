"""The protocol's close codes, and its error codes for refused calls."""

from applications.keyset import BadCursor
from gateway.calls import ConnectionClosing
from gateway.closings import Reason
from moderation.lists import ListFull, ListsOneself
from users.extras import ExtraTooLong, InvalidExtra
from users.identity import InvalidUserId
from users.messages import ClientIdTaken, InvalidMessage, MessageTooLong

# The close frame's reason is the `Reason`.
CLOSE_CODES: dict[Reason, int] = {
    Reason.UNKNOWN_TOKEN: 4001,
    Reason.EXPIRED_TOKEN: 4002,
    Reason.REVOKED_TOKEN: 4003,
    Reason.WRONG_ENVIRONMENT: 4004,
    Reason.BANNED: 4010,
    Reason.DEACTIVATED: 4011,
    Reason.DELETED: 4012,
    Reason.SIGNED_OUT: 4013,
    Reason.KICKED: 4020,
    Reason.REPLACED: 4020,
    Reason.TOO_MANY_CONNECTIONS: 4021,
    Reason.TOO_MANY_ATTEMPTS: 4022,
    Reason.SLOW_READER: 4023,
    Reason.INTERNAL_ERROR: 1011,
    Reason.RESTARTING: 1012,
    Reason.UNAVAILABLE: 1013,
    Reason.NO_CONNECT_FRAME: 4030,
    Reason.ABUSE: 4031,
}

ERRORS: dict[type[Exception], str] = {
    BadCursor: "bad_field",
    ClientIdTaken: "client_id_taken",
    ConnectionClosing: "closing",
    InvalidUserId: "invalid_user_id",
    InvalidExtra: "invalid_extra",
    ExtraTooLong: "invalid_extra",
    InvalidMessage: "invalid_message",
    MessageTooLong: "invalid_message",
    ListFull: "list_full",
    ListsOneself: "lists_oneself",
}
