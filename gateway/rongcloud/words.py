"""The SDK's documented codes for what happens here."""

from gateway.calls import ConnectionClosing
from gateway.closings import Reason
from moderation.gates import ConnectRule, MessageRule
from moderation.lists import ListFull, ListsOneself
from users.extras import ExtraTooLong, InvalidExtra
from users.identity import InvalidUserId
from users.messages import ClientIdTaken, InvalidMessage, MessageTooLong
from users.statuses import TooManySubscriptions
from users.tokens import UnknownUsers

# Status of the frame CONNACK. The app sees 31004, 31009, 31020, 31023, 31029, 31002. A reason that
# is not here ends by itself: the socket is closed without a word, and the SDK tries again later.
REFUSALS: dict[Reason, int] = {
    Reason.UNKNOWN_TOKEN: 4,
    Reason.WRONG_ENVIRONMENT: 4,
    Reason.DELETED: 4,
    Reason.EXPIRED_TOKEN: 10,
    Reason.REVOKED_TOKEN: 10,
    Reason.BANNED: 9,
    Reason.DEACTIVATED: 19,
    Reason.TOO_MANY_CONNECTIONS: 13,
    Reason.NO_CONNECT_FRAME: 2,
}
# Status of the frame DISCONNECT. The app sees 31011, 31010, 31020, 31029, and the SDK stays away.
# After a reason that is not here, it comes back.
DISCONNECTS: dict[Reason, int] = {
    Reason.BANNED: 2,
    Reason.KICKED: 1,
    Reason.REPLACED: 1,
    Reason.SIGNED_OUT: 7,
    Reason.DEACTIVATED: 9,
    Reason.DELETED: 9,
}
# SDK 2 throws an exception for the newer statuses.
REFUSALS_OF_2 = REFUSALS | {Reason.DEACTIVATED: 9, Reason.TOO_MANY_CONNECTIONS: 3}
DISCONNECTS_OF_2 = DISCONNECTS | {
    Reason.SIGNED_OUT: 1,
    Reason.DEACTIVATED: 2,
    Reason.DELETED: 2,
}

OK = 0
NOT_ON_BLOCKLIST = 101
NOT_SUPPORTED = 20606  # "operation not supported, switched off by the server"
FAILED = 25104  # "unknown error of the server": malformed, or our database does not answer
CLOSING = 30001  # "the connection is released"
BLOCKED = 405
NOT_ON_ALLOWLIST = 407
MUTED = 20106  # "muted in private chats"
TOO_LARGE = 20115  # "message size exceeds the limit"
TOO_MUCH = 20607  # "over the limit, try later"
UNKNOWN_USER = 24366  # "no such user"
NOT_FRIENDS = 25469  # "not friends, so this cannot be done"
ID_TAKEN = 26009  # "message id invalid"
TOO_MANY_SUBSCRIPTIONS = 26022  # "too many users subscribed to"

RULES: dict[ConnectRule | MessageRule, int] = {
    ConnectRule.BANNED: CLOSING,
    ConnectRule.DEACTIVATED: CLOSING,
    ConnectRule.NOT_REGISTERED: CLOSING,
    MessageRule.UNKNOWN_RECIPIENT: UNKNOWN_USER,
    MessageRule.RECIPIENT_DEACTIVATED: UNKNOWN_USER,
    MessageRule.MUTED: MUTED,
    MessageRule.NOT_FRIENDS: NOT_FRIENDS,
    MessageRule.NOT_ON_ALLOWLIST: NOT_ON_ALLOWLIST,
    MessageRule.BLOCKED: BLOCKED,
    MessageRule.MAILBOX_FULL: TOO_MUCH,
}
ERRORS: dict[type[Exception], int] = {
    ClientIdTaken: ID_TAKEN,
    ConnectionClosing: CLOSING,
    ExtraTooLong: TOO_LARGE,
    InvalidExtra: FAILED,
    InvalidMessage: TOO_LARGE,
    InvalidUserId: UNKNOWN_USER,
    ListFull: TOO_MUCH,
    ListsOneself: UNKNOWN_USER,
    MessageTooLong: TOO_LARGE,
    TooManySubscriptions: TOO_MANY_SUBSCRIPTIONS,
    UnknownUsers: UNKNOWN_USER,
}
