"""The protocol's calls: their fields, and the keys of their answers."""

from collections.abc import Callable
from typing import Any

from gateway import calls
from gateway.calls import Client, MessageRefused
from gateway.rollcall.frames import BadFrame, string, strings, whole_numbers
from gateway.rollcall.words import ERRORS
from users import identity, messages

MAX_IDS = 20
PAGE_SIZE = 100
MAX_ACKNOWLEDGED = 100


class CallRefused(Exception):
    """The call is valid, and is refused. `error` is the protocol's error code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


Handler = Callable[[Client, dict[str, Any]], dict[str, Any]]


def answer(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    """Run a call; return the answer's fields. Raises `BadFrame`, `CallRefused`."""
    handler = CALLS.get(string(frame, "call", default="", most=40))
    if handler is None:
        raise BadFrame("unknown_call", f"A call is one of {', '.join(CALLS)}")
    try:
        return handler(client, frame)
    except MessageRefused as refusal:
        raise CallRefused(refusal.verdict.rule, str(refusal)) from refusal
    except tuple(ERRORS) as error:
        raise CallRefused(ERRORS[type(error)], str(error)) from error


def _blocklist_add(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    return {"added": calls.block(client, strings(frame, "user_ids", most=MAX_IDS))}


def _blocklist_remove(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    return {"removed": calls.unblock(client, strings(frame, "user_ids", most=MAX_IDS))}


def _blocklist_contains(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    other = string(frame, "user_id", most=64)
    return {"user_id": other, "listed": calls.blocks(client, other)}


def _blocklist_get(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    cursor = string(frame, "cursor", default="", most=500)
    page = calls.blocklist_page(client, cursor=cursor, size=PAGE_SIZE)
    return {"user_ids": [entry.listed_id for entry in page.rows], "next": page.next}


def _message_send(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    sent = calls.send(
        client,
        recipient_id=identity.check_user_id(string(frame, "to", most=64)),
        client_id=string(frame, "client_id", most=messages.CLIENT_ID_MAX_LENGTH),
        body=string(frame, "body", most=messages.MAX_CHARACTERS, multiline=True),
    )
    return {"message_id": sent.pk, "sent_at": sent.sent_at.isoformat()}


def _message_acknowledge(client: Client, frame: dict[str, Any]) -> dict[str, Any]:
    message_ids = whole_numbers(frame, "message_ids", most=MAX_ACKNOWLEDGED)
    return {"acknowledged": calls.acknowledge(client, message_ids)}


CALLS: dict[str, Handler] = {
    "blocklist.add": _blocklist_add,
    "blocklist.remove": _blocklist_remove,
    "blocklist.contains": _blocklist_contains,
    "blocklist.get": _blocklist_get,
    "message.send": _message_send,
    "message.acknowledge": _message_acknowledge,
}
