"""Who is let in.

Two indexed reads: the user with environment, and the ban. Only a refusal may ask more, for its
name.
"""

from datetime import datetime

from django.db import transaction

from applications.models import Environment
from gateway import protocol
from gateway.protocol import Ending
from moderation import gates
from users import identity, presence, tokens
from users.models import AppUser, Connection, GatewayProcess
from users.tokens import Claims


class Refused(Exception):
    """Not let in: why, in words, and until when where that is known."""

    def __init__(self, ending: Ending, explanation: str, until: datetime | None = None):
        super().__init__(explanation)
        self.ending, self.until = ending, until


_BY_RULE = {"banned": protocol.BANNED, "deactivated": protocol.DEACTIVATED}


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
    gateway: GatewayProcess,
    now: datetime,
) -> Connection:
    """Write the connection down, or raise `Refused`."""
    with transaction.atomic():
        identity.lock_to_let_in(claims.environment_id, claims.user_id)
        user = (
            AppUser.objects.select_related("environment__application")
            .filter(pk=claims.life, environment=claims.environment_id)
            .first()
        )
        if user is None:
            raise _gone(app_key, claims, now)
        if user.environment.app_key != app_key:
            raise Refused(protocol.WRONG_ENVIRONMENT, "The token is of another environment.")
        if claims.is_revoked(user):
            raise Refused(protocol.REVOKED_TOKEN, "The access token was revoked.")
        verdict = gates.may_connect(
            environment=user.environment, user_id=user.user_id, now=now, is_registered=True
        )
        if not verdict.allowed:
            raise Refused(_BY_RULE[verdict.rule], verdict.explanation, verdict.until)
        try:
            return presence.connect(
                user=user,
                gateway=gateway,
                device=device,
                platform=platform,
                address=address,
                now=now,
            )
        except presence.TooManyConnections as error:
            raise Refused(protocol.TOO_MANY_CONNECTIONS, f"{error}.") from None


def _gone(app_key: str, claims: Claims, now: datetime) -> Refused:
    """The refusal of a token whose life of the id is over."""
    environment = Environment.objects.filter(pk=claims.environment_id).first()
    if environment is None or environment.app_key != app_key:
        return Refused(protocol.WRONG_ENVIRONMENT, "The token is of another environment.")
    verdict = gates.may_connect(environment=environment, user_id=claims.user_id, now=now)
    if verdict.rule in _BY_RULE:
        return Refused(_BY_RULE[verdict.rule], verdict.explanation, verdict.until)
    return Refused(protocol.DELETED, "The user of this token was deleted.")
