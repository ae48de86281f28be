"""Admits a client, or refuses it with a reason.

`users.tokens` decides whether the token is valid, `moderation.gates` whether its user may connect.
This module asks both under one lock, and names the `Reason` of a refusal. Admission takes
two indexed reads: the user with the environment, and the ban. A refusal may take more.
"""

from datetime import datetime
from typing import assert_never

from django.db import transaction

from gateway.closings import Closing, Reason
from moderation import gates
from moderation.gates import ConnectRule, Verdict
from users import identity, messages, presence, tokens
from users.models import Connection, GatewayProcess
from users.tokens import Claims


class Refused(Exception):
    """The client is not admitted."""

    def __init__(
        self, reason: Reason, explanation: str, until: datetime | None = None, why: str = ""
    ):
        super().__init__(explanation)
        self.closing = Closing(reason, explanation, until, why)


def read_token(token: str, *, now: datetime) -> Claims:
    """The claims in the token, without a query. Raises `Refused`."""
    try:
        return tokens.read(token, now=now)
    except tokens.TokenExpired:
        raise Refused(Reason.EXPIRED_TOKEN, "The access token has expired.") from None
    except tokens.TokenRefused:
        raise Refused(Reason.UNKNOWN_TOKEN, "This is not a valid access token.") from None


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
    """Store the connection, and acknowledge the user's messages up to `after`. Raises `Refused`."""
    with transaction.atomic():
        identity.lock_for_admission(claims.environment_id, claims.user_id)
        try:
            user = tokens.user_of(claims, app_key=app_key)
        except tokens.TokenOfAnotherEnvironment:
            raise Refused(
                Reason.WRONG_ENVIRONMENT, "The access token belongs to another environment."
            ) from None
        except tokens.TokenOfFormerUser as former:
            verdict = gates.may_connect(
                environment=former.environment, user_id=claims.user_id, now=now
            )
            raise _refused(verdict) from None
        except tokens.TokenRefused:
            raise Refused(Reason.REVOKED_TOKEN, "The access token is revoked.") from None
        verdict = gates.may_connect(environment=user.environment, user_id=user.user_id, now=now)
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
            raise Refused(Reason.TOO_MANY_CONNECTIONS, f"{error}.") from None
        if after:
            messages.acknowledge_up_to(
                environment=user.environment, user_id=user.user_id, message_id=after, now=now
            )
        return connection


def _refused(verdict: Verdict[ConnectRule]) -> Refused:
    """The refusal of a user by their gate, or of a token that was issued to a former user."""
    match verdict.rule:
        case ConnectRule.BANNED:
            return Refused(Reason.BANNED, verdict.explanation, verdict.until, verdict.why)
        case ConnectRule.DEACTIVATED:
            return Refused(Reason.DEACTIVATED, verdict.explanation)
        case ConnectRule.REGISTERED | ConnectRule.NOT_REGISTERED:
            return Refused(Reason.DELETED, "The user of this access token was deleted.")
        case _:
            assert_never(verdict.rule)
