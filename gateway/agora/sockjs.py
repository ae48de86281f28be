"""MSync in SockJS, as older SDKs speak it (agora-chat up to 1.3, easemob-websdk up to 4.7).

The SDK asks `info` first, then opens a WebSocket below the address that the app names. What else
SockJS offers to browsers without WebSockets is not served: the SDK is told of none of it.

Invariant: a frame that is not SockJS's is passed on as the text that it is, and so is a mistake.
"""

import binascii
import json
import secrets
from base64 import b64decode, b64encode

from gateway.agora.session import AgoraSession
from gateway.connecting import ConnectRequest, Handshake
from gateway.http import Request, Response
from gateway.inbound import Frame

_OPENED = "o"


def info(request: Request) -> Response:
    """`GET info`. Browsers ask with credentials, so the page's origin is named; there is nothing in
    the answer that another origin must not read.
    """
    body = {
        "websocket": True,
        "origins": ["*:*"],
        "cookie_needed": False,
        "entropy": secrets.randbits(32),
    }
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "cache-control": "no-store",
        "vary": "origin",
    }
    return Response(200, json.dumps(body), "application/json", headers)


class SockJSSession(AgoraSession):
    """Each frame is a JSON list of one text: the MSync frame in Base64."""

    MAX_FRAME_BYTES = AgoraSession.MAX_FRAME_BYTES * 3 // 2

    __slots__ = ()

    async def connect_request(self, handshake: Handshake) -> ConnectRequest:
        super().put(_OPENED)
        return await super().connect_request(handshake)

    def put(self, frame: Frame) -> None:
        data = frame.encode() if isinstance(frame, str) else frame
        super().put(f'a["{b64encode(data).decode()}"]')

    async def next_frame(self) -> Frame:
        received = await super().next_frame()
        try:
            [text] = json.loads(received)
            return b64decode(text, validate=True)
        except (ValueError, TypeError, RecursionError, binascii.Error):
            return received if isinstance(received, str) else ""
