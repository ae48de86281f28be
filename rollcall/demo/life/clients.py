"""Chat clients, over the gateway's WebSocket (docs/gateway.md)."""

import asyncio
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from websockets.asyncio.client import ClientConnection, connect

from applications.models import Environment
from rollcall.demo.life.cast import Cast
from rollcall.demo.life.database import in_thread
from users import tokens
from users.models import AppUser

LINES = [
    "Good morning!",
    "Did you see the new stickers?",
    "On my way, ten minutes.",
    "Haha, no way",
    "Can you send me the address again?",
    "回头见",
    "Bis gleich!",
    "The film starts at eight.",
    "Sounds good to me.",
    "👍",
]
DEVICES = [("iOS", "iPhone"), ("android", "Pixel"), ("web", "Firefox")]
# Seconds. A refused client tries again as an app with a careless developer would.
BETWEEN_MESSAGES, BETWEEN_REFUSALS = (3, 12), (15, 40)
A_VISIT, AN_ABSENCE = (60, 300), (20, 90)


def plays(cast: Cast) -> Iterator[Callable[[], Awaitable[None]]]:
    one, other = cast.talkers
    yield partial(_talk, cast.production, one, other)
    yield partial(_talk, cast.production, other, one)
    for user_id in cast.listeners:
        yield partial(_come_and_go, cast.production, user_id)
    yield partial(_come_and_go, cast.production, cast.banned, pauses=BETWEEN_REFUSALS)
    yield partial(_talk, cast.production, cast.blocked, cast.blocker, pauses=BETWEEN_REFUSALS)


class Connected:
    """`async with Connected(...) as client:` a client that is admitted, or `EOFError`."""

    def __init__(self, environment: Environment, user_id: str) -> None:
        self._environment, self._user_id = environment, user_id

    async def __aenter__(self) -> "Connected":
        token = await in_thread(_token, self._environment, self._user_id)
        host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104
        self._connecting = connect(
            f"ws://{host}:{settings.PORT}{settings.GATEWAY_PATH}", close_timeout=1, proxy=None
        )
        self._socket: ClientConnection = await self._connecting.__aenter__()
        platform, device = DEVICES[sum(map(ord, self._user_id)) % len(DEVICES)]
        try:
            await self._say(
                app_key=self._environment.app_key, token=token, device=device, platform=platform
            )
            while (event := await self._hear()).get("event") != "connected":
                if event.get("event") == "closing":
                    raise EOFError(f"{self._user_id} is refused: {event['reason']}")
        except BaseException:
            await self._socket.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def write(self, to: str, body: str) -> None:
        await self._say(id=0, call="message.send", to=to, client_id=secrets.token_hex(8), body=body)

    async def listen(self) -> None:
        """Acknowledge what comes, until the gateway closes the connection: `EOFError`."""
        while True:
            event = await self._hear()
            if event.get("event") == "message":
                await self._say(id=0, call="message.acknowledge", message_ids=[event["message_id"]])
            elif event.get("event") == "closing":
                raise EOFError(f"{self._user_id} is disconnected: {event['reason']}")

    async def _say(self, **frame: Any) -> None:
        await self._socket.send(json.dumps(frame))

    async def _hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(await self._socket.recv())
        return heard


async def _talk(
    environment: Environment,
    user_id: str,
    other_id: str,
    *,
    pauses: tuple[float, float] = BETWEEN_MESSAGES,
) -> None:
    async with Connected(environment, user_id) as client:
        listening = asyncio.ensure_future(client.listen())
        try:
            while True:
                pause = random.uniform(*pauses)  # noqa: S311 - no secret
                await asyncio.wait([listening], timeout=pause)
                if listening.done():
                    await listening
                await client.write(other_id, random.choice(LINES))  # noqa: S311
        finally:
            listening.cancel()


async def _come_and_go(
    environment: Environment, user_id: str, *, pauses: tuple[float, float] = AN_ABSENCE
) -> None:
    while True:
        try:
            async with Connected(environment, user_id) as client:
                await asyncio.wait_for(client.listen(), random.uniform(*A_VISIT))  # noqa: S311
        except (TimeoutError, EOFError):
            pass
        await asyncio.sleep(random.uniform(*pauses))  # noqa: S311


def _token(environment: Environment, user_id: str) -> str:
    """From the app server, as at each start of an app. Raises `EOFError` for a user who is gone."""
    user = (
        AppUser.objects.select_related("environment")
        .filter(environment=environment, user_id=user_id)
        .first()
    )
    if user is None:
        raise EOFError(f"{user_id} is not registered")
    return tokens.issue(user, now=timezone.now())
