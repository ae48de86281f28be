"""What a client sends: who it is, and messages. `connect_request` blocks."""

import logging
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import Error
from django.utils import timezone

from applications import app_secrets, callers
from applications.models import AppSecret, Environment
from gateway import calls
from gateway.admission import Refused, read_token
from gateway.agora import attributes, words, writing
from gateway.agora.frames import Login, Namespace, Received
from gateway.calls import Client, ConnectionClosing, MessageRefused
from gateway.closings import Reason
from gateway.connecting import ConnectRequest
from gateway.database import run_in_thread
from moderation.gates import MessageRule
from users import app_tokens, identity, lookup, messages, tokens
from users.extras import Extra
from users.messages import StoredMessage
from users.tokens import Claims, UnknownUsers

log = logging.getLogger(__name__)

_APP_NAME = re.compile(
    rf"(?P<org>[-\w]{{1,40}})#(?P<kind>{'|'.join(Environment.Kind.values)})", re.ASCII
)
_LARGEST_ID = 2**63 - 1  # of a message in the database
_PLATFORM_LENGTH, _DEVICE_LENGTH = 32, 64  # of a `ConnectRequest`


# --- Login --------------------------------------------------------------------------------------
def connect_request(login: Login, *, now: datetime) -> ConnectRequest:
    """Who logs in. Raises `Refused`."""
    app = _APP_NAME.fullmatch(login.app_name)
    secrets = callers.secrets_of_name(app["org"], app["kind"], now=now) if app else ()
    if not secrets:
        raise Refused(Reason.WRONG_ENVIRONMENT, "There is no such app.")
    # The Server API joins the two with "_", and so knows the device by the client's own resource.
    platform, _, device = login.resource.partition("_")
    if not (
        identity.is_text(platform, _PLATFORM_LENGTH) and identity.is_text(device, _DEVICE_LENGTH)
    ):
        raise Refused(Reason.NO_CONNECT_FRAME, "The resource is not a short text.")
    claims = _claims(login, secrets, now=now)
    # The client shows its user by the name with which the app opened it.
    if claims.user_id.lower() != login.user_name.lower():
        raise Refused(Reason.UNKNOWN_TOKEN, "The access token is another user's.")
    return ConnectRequest(
        app_key=secrets[0].environment.app_key,
        claims=claims,
        device=device,
        platform=platform,
        seat=f"agora {login.resource}" if login.resource else "",
    )


def _claims(login: Login, secrets: Sequence[AppSecret], *, now: datetime) -> Claims:
    """Those of a token that we have issued, or that the app has signed."""
    if not login.token.startswith(app_tokens.PREFIX):
        return read_token(login.token, now=now)
    environment = secrets[0].environment
    try:
        found = app_tokens.authenticate(
            login.token, environment=environment, secrets=secrets, now=now
        )
    except tokens.TokenOfAnotherEnvironment:
        raise Refused(Reason.WRONG_ENVIRONMENT, "The token belongs to another app.") from None
    except tokens.TokenExpired:
        raise Refused(Reason.EXPIRED_TOKEN, "The token has expired.") from None
    except tokens.TokenRevoked:
        raise Refused(Reason.REVOKED_TOKEN, "The token is revoked.") from None
    except tokens.TokenRefused:
        raise Refused(Reason.UNKNOWN_TOKEN, "This is not a valid token.") from None
    except UnknownUsers as error:
        raise Refused(Reason.DELETED, f"{error}.") from None
    if found.user is None:
        raise Refused(Reason.UNKNOWN_TOKEN, "The token is the app's, not a user's.")
    app_secrets.note_use(found.secret, via="gateway", address=None, now=now)
    return found.claims(found.user)


# --- Messages -----------------------------------------------------------------------------------
async def answer(client: Client, received: Received, *, resource: str) -> bytes | None:
    """The answer to a message. None if it needs none."""
    if received.namespace == Namespace.STATISTIC:
        return None
    refusal = words.UNSUPPORTED
    try:
        if received.text is not None:
            sent = await _send(client, received, f"{received.id}@{resource}")
            return writing.stored(received.id, sent.pk, sent.sent_at)
        if received.receipt is not None:
            about_id = min(received.about_id, _LARGEST_ID)
            await run_in_thread(calls.receipt, client, about_id, received.receipt)
            return writing.stored(received.id, received.about_id, timezone.now())
    except ConnectionClosing:
        return None
    except MessageRefused as error:
        refusal = words.GATES.get(error.verdict.rule) or words.external(f"{error}.")
    except tuple(words.ERRORS) as error:
        refusal = words.ERRORS[type(error)] or words.external(f"{error}.")
    except Error:
        log.exception("the database does not answer")
        refusal = words.UNAVAILABLE
    reason = refusal.reason.replace("{recipient}", received.recipient)
    return writing.rejected(received.id, refusal.code, reason, timezone.now())


async def _send(client: Client, received: Received, client_id: str) -> StoredMessage:
    """Names of users are found in any case, as in the Server API."""
    send = partial(
        calls.send,
        client,
        client_id=client_id[: messages.CLIENT_ID_MAX_LENGTH],
        body=received.text or "",
        extra=Extra(attributes.read(received.attributes)),
    )
    recipient_id = identity.check_user_id(received.recipient)
    try:
        return await send(recipient_id=recipient_id)
    except MessageRefused as error:
        if error.verdict.rule != MessageRule.UNKNOWN_RECIPIENT:
            raise
        user = await run_in_thread(lookup.by_name, client.environment, recipient_id)
        if user is None or user.user_id == recipient_id:
            raise
    return await send(recipient_id=user.user_id)
