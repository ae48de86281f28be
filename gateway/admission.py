"""Admits clients, or refuses them with a reason.

`users.tokens` reads the token, `moderation.connecting` decides. Clients that arrive together are
one statement. This module translates a refusal for the protocols.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.utils import timezone

from applications.hourly import Figure
from gateway import counted
from gateway.batches import Batches
from gateway.closings import Closing, Reason
from moderation import connecting, gates
from moderation.connecting import Admission, Applicant, Entry
from users import presence, tokens
from users.tokens import Claims

if TYPE_CHECKING:
    from gateway.process import Gateway

AT_ONCE = 100
# How many clients wait at once for users whom somebody else has locked, for example to ban them.
WAITING = 4


class Refused(Exception):
    """The client is not admitted; `closing` says why."""

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


class Admissions:
    """Admits the clients of one gateway process. Those whose user nobody else has locked are
    admitted together; the others wait one by one, so that they delay nobody.
    """

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._together = Batches(partial(self._admit, wait=False), most=AT_ONCE)
        self._one_by_one = Batches(partial(self._admit, wait=True), most=1, at_once=WAITING)

    async def admit(self, applicant: Applicant) -> tuple[int, datetime]:
        """Store the connection; return its key, and since when it is open. Raises `Refused`."""
        admission = await self._together.ask(applicant)
        if admission.entry is Entry.BUSY:
            admission = await self._one_by_one.ask(applicant)
        if admission.connection_id is None:
            counted.refused(applicant.claims.environment_id, Figure.CONNECTIONS_REFUSED)
            raise _refused(applicant.claims.user_id, admission)
        return admission.connection_id, admission.connected_at

    def _admit(self, applicants: Sequence[Applicant], *, wait: bool) -> list[Admission]:
        return connecting.admit(
            applicants, gateway=self._gateway.row, now=timezone.now(), wait=wait
        )


def wrong_environment() -> Refused:
    return Refused(Reason.WRONG_ENVIRONMENT, "The access token belongs to another environment.")


def _refused(user_id: str, admission: Admission) -> Refused:
    match admission.entry:
        case Entry.WRONG_ENVIRONMENT:
            return wrong_environment()
        case Entry.REVOKED_TOKEN:
            return Refused(Reason.REVOKED_TOKEN, "The access token is revoked.")
        case Entry.DELETED:
            return Refused(Reason.DELETED, "The user of this access token was deleted.")
        case Entry.TOO_MANY_CONNECTIONS:
            held = f"{user_id} has {presence.MAX_CONNECTIONS} connections already."
            return Refused(Reason.TOO_MANY_CONNECTIONS, held)
        case Entry.BANNED | Entry.DEACTIVATED as rule:
            verdict = gates.connect_verdict(user_id, rule, admission.until, admission.why)
            return Refused(Reason(rule), verdict.explanation, verdict.until, verdict.why)
        case Entry.ADMITTED | Entry.BUSY:
            raise AssertionError(admission)
