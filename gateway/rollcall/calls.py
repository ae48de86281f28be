"""The protocol's calls: their fields, and the keys of their answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from gateway import calls
from gateway.calls import Client, MessageRefused
from gateway.database import run_in_thread
from gateway.rollcall.frames import BadFrame, json_object, string, strings, whole_numbers
from gateway.rollcall.words import ERRORS
from users import messages
from users.extras import Extra

MAX_IDS = 20
PAGE_SIZE = 100
MAX_ACKNOWLEDGED = 100


class CallRefused(Exception):
    """The call is valid, and is refused. `error` is the protocol's error code."""

    def __init__(self, error: str, message: str):
        super().__init__(message)
        self.error = error


Fields = dict[str, Any]
Handler = Callable[[Client, Fields], Awaitable[Fields]]


async def answer(client: Client, frame: Fields) -> Fields:
    """Run a call; return the answer's fields. Raises `BadFrame`, `CallRefused`."""
    handler = CALLS.get(string(frame, "call", default="", most=40))
    if handler is None:
        raise BadFrame("unknown_call", f"A call is one of {', '.join(CALLS)}")
    try:
        return await handler(client, frame)
    except MessageRefused as refusal:
        raise CallRefused(refusal.verdict.rule, str(refusal)) from refusal
    except tuple(ERRORS) as error:
        raise CallRefused(ERRORS[type(error)], str(error)) from error


async def _blocklist_add(client: Client, frame: Fields) -> Fields:
    user_ids = strings(frame, "user_ids", most=MAX_IDS)
    return {"added": await run_in_thread(calls.block, client, user_ids)}


async def _blocklist_remove(client: Client, frame: Fields) -> Fields:
    user_ids = strings(frame, "user_ids", most=MAX_IDS)
    return {"removed": await run_in_thread(calls.unblock, client, user_ids)}


async def _blocklist_contains(client: Client, frame: Fields) -> Fields:
    other = string(frame, "user_id", most=64)
    return {"user_id": other, "listed": await run_in_thread(calls.blocks, client, other)}


async def _blocklist_get(client: Client, frame: Fields) -> Fields:
    cursor = string(frame, "cursor", default="", most=500)
    page = await run_in_thread(calls.blocklist_page, client, cursor=cursor, size=PAGE_SIZE)
    return {"user_ids": [entry.listed_id for entry in page.rows], "next": page.next}


async def _message_send(client: Client, frame: Fields) -> Fields:
    sent = await calls.send(
        client,
        recipient_id=string(frame, "to", most=64),
        client_id=string(frame, "client_id", most=messages.CLIENT_ID_MAX_LENGTH),
        body=string(frame, "body", most=messages.MAX_CHARACTERS, multiline=True),
        extra=Extra(json_object(frame, "extra")),
    )
    return {"message_id": sent.pk, "sent_at": sent.sent_at.isoformat()}


async def _message_acknowledge(client: Client, frame: Fields) -> Fields:
    message_ids = whole_numbers(frame, "message_ids", most=MAX_ACKNOWLEDGED)
    return {"acknowledged": await calls.acknowledge(client, message_ids)}


CALLS: dict[str, Handler] = {
    "blocklist.add": _blocklist_add,
    "blocklist.remove": _blocklist_remove,
    "blocklist.contains": _blocklist_contains,
    "blocklist.get": _blocklist_get,
    "message.send": _message_send,
    "message.acknowledge": _message_acknowledge,
}
