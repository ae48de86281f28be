"""Who is let in, and what the others are told.

Whether a token is good is for `users.tokens` to say, and whether its user may connect for
`moderation.gates`. This module asks both under one lock, and names the refusal to the client. Two
indexed reads: the user with environment, and the ban. Only a refusal may ask more, for its name.
"""

from datetime import datetime
from typing import assert_never

from django.db import transaction

from gateway import protocol
from gateway.protocol import Ending
from moderation import gates
from moderation.gates import ConnectRule, Verdict
from users import identity, messages, presence, tokens
from users.models import Connection, GatewayProcess
from users.tokens import Claims


class Refused(Exception):
    """Not let in: why, in words for people; until when, where that is known; and the reason that
    staff chose to tell.
    """

    def __init__(
        self, ending: Ending, explanation: str, until: datetime | None = None, why: str = ""
    ):
        super().__init__(explanation)
        self.ending, self.until, self.why = ending, until, why


def read_token(token: str, *, now: datetime) -> Claims:
    """What the token says, without asking the database. Raises `Refused`."""
    try:
        return tokens.read(token, now=now)
    except tokens.TokenExpired:
        raise Refused(protocol.EXPIRED_TOKEN, "The access token's time is over.") from None
    except tokens.TokenRefused:
        raise Refused(protocol.UNKNOWN_TOKEN, "This is not an access token of ours.") from None


def admit(
    *,
    app_key: str,
    claims: Claims,
    device: str,
    platform: str,
    address: str | None,
    after: int,
    gateway: GatewayProcess,
    now: datetime,
) -> Connection:
    """Write the connection down, and that the client has every message up to `after`; or raise
    `Refused`.
    """
    with transaction.atomic():
        identity.lock_to_let_in(claims.environment_id, claims.user_id)
        try:
            user = tokens.user_of(claims, app_key=app_key)
        except tokens.TokenOfAnotherEnvironment:
            raise Refused(
                protocol.WRONG_ENVIRONMENT, "The token is of another environment."
            ) from None
        except tokens.TokenOfFormerUser as former:
            verdict = gates.may_connect(
                environment=former.environment, user_id=claims.user_id, now=now
            )
            raise _refused(verdict) from None
        except tokens.TokenRefused:
            raise Refused(protocol.REVOKED_TOKEN, "The access token was revoked.") from None
        verdict = gates.may_connect(
            environment=user.environment, user_id=user.user_id, now=now, is_registered=True
        )
        if not verdict.allowed:
            raise _refused(verdict)
        try:
            connection = presence.connect(
                user=user,
                gateway=gateway,
                device=device,
                platform=platform,
                address=address,
                now=now,
            )
        except presence.TooManyConnections as error:
            raise Refused(protocol.TOO_MANY_CONNECTIONS, f"{error}.") from None
        if after:
            messages.acknowledge_up_to(
                environment=user.environment, user_id=user.user_id, message_id=after, now=now
            )
        return connection


def _refused(verdict: Verdict[ConnectRule]) -> Refused:
    """The refusal of a user by their gate, or of a token whose life of the id is over."""
    match verdict.rule:
        case ConnectRule.BANNED:
            return Refused(protocol.BANNED, verdict.explanation, verdict.until, verdict.why)
        case ConnectRule.DEACTIVATED:
            return Refused(protocol.DEACTIVATED, verdict.explanation)
        case ConnectRule.REGISTERED | ConnectRule.NOT_REGISTERED:
            return Refused(protocol.DELETED, "The user of this token was deleted.")
        case _:
            assert_never(verdict.rule)
