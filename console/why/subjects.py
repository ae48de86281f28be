"""What somebody has pasted into the page "Why?".

A text can be several things: a user id may look like an app key. The first thing that exists here
is taken, and the page links to the others.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from applications.access import applications_entered_by
from applications.call_evidence import find_call, find_delivery, lines_of_request
from applications.models import AuditEvent, Delivery, Environment
from users import tokens
from users.app_token_evidence import is_app_token
from users.evidence import is_user_id
from users.models import AppUser, DeactivatedUser

LONGEST = 1_000  # characters that are read; an access token has at most 344
_APP_KEY = re.compile(r"[0-9a-f]{32}")
_MESSAGE_ID = re.compile(r"msg_[0-9a-f]{24}")
# An access token without anything else: longer than a user id can be.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{65,}")


class Kind(StrEnum):
    PAIR = "pair"
    TOKEN = "token"  # noqa: S105
    APP_KEY = "app_key"
    DELIVERY = "delivery"
    REQUEST = "request"
    USER = "user"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Subject:
    """What was asked about. `others` are the kinds that the text could be as well."""

    kind: Kind
    text: str
    recipient: str = ""
    others: tuple[Kind, ...] = ()

    @property
    def is_secret(self) -> bool:
        """An access token must not appear in an address, which servers and browsers keep."""
        return self.kind == Kind.TOKEN


def subject_of(
    environment: Environment, account: object, text: str, *, recipient: str = "", wanted: str = ""
) -> Subject:
    """`wanted` is the kind that the member has chosen, if the text could be several."""
    text, recipient = text[:LONGEST].strip(), recipient[:LONGEST].strip()
    ids = re.split(r"[\s,;]+", text)
    if not recipient and len(ids) == 2:
        text, recipient = ids
    if recipient:
        possible = is_user_id(text) and is_user_id(recipient)
        return Subject(Kind.PAIR if possible else Kind.NOTHING, text, recipient)
    kinds = _kinds(environment, account, text)
    kind = next((each for each in kinds if each == wanted), kinds[0])
    return Subject(kind, text, others=tuple(each for each in kinds if each != kind))


def _kinds(environment: Environment, account: object, text: str) -> list[Kind]:
    if _TOKEN.fullmatch(text) or is_token(text):
        return [Kind.TOKEN]
    kinds = []
    here = {"environment": environment, "user_id": text}
    known = is_user_id(text) and (
        AppUser.objects.filter(**here).exists() or DeactivatedUser.objects.filter(**here).exists()
    )
    if _APP_KEY.fullmatch(text) and (
        not known
        or Environment.objects.filter(
            app_key=text, application__in=applications_entered_by(account)
        ).exists()
    ):
        kinds.append(Kind.APP_KEY)
    if _MESSAGE_ID.fullmatch(text) and (not known or find_delivery(environment, text)):
        kinds.append(Kind.DELIVERY)
    if text.isprintable() and (
        lines_of_request(environment, text)
        or (not known and not kinds and find_call(environment, text))
    ):
        kinds.append(Kind.REQUEST)
    if known:
        kinds.insert(0, Kind.USER)
    elif is_user_id(text):
        kinds.append(Kind.USER)
    return kinds or [Kind.NOTHING]


def is_token(text: str) -> bool:
    """Whether the text is an access token, ours or one that an app server signed."""
    if is_app_token(text):
        return True
    try:
        tokens.decode(text)
    except tokens.TokenUnknown:
        return False
    return True


def delivery_of(environment: Environment, subject: Subject) -> Delivery | None:
    return find_delivery(environment, subject.text)


def request_of(environment: Environment, subject: Subject) -> list[AuditEvent]:
    return lines_of_request(environment, subject.text)
