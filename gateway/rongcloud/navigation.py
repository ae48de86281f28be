"""Navigation: the SDK asks by HTTP whose token it has and where the gateway is.

Invariants
----------
* The answer says that the gateway is where the question went: the request's Host, or `GATEWAY_URL`
  if that is set.
* Only the token's signature is checked. A ban, or a token that expired, is said at the socket: the
  SDK has codes for them there, and it keeps an answer of navigation for two hours.
* Pages of any origin may ask. The token is the only credential; there are no cookies.
"""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from gateway.http import Request, Response
from users import tokens

# Of a gateway address in the answer.
PLAIN, ENCRYPTED = 5, 6
ONLINE_STATUS = 1  # the bit of `subDriven` that switches subscriptions on
_CORS = {"access-control-allow-origin": "*", "cache-control": "no-store"}
_PREFLIGHT = {
    **_CORS,
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "rc-appkey, rc-negotiate, content-type",
    "access-control-max-age": "86400",
}
_WHENEVER = datetime.fromtimestamp(0, tz=UTC)  # no token has expired by then
_CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,63}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


def json_answer(request: Request) -> Response:
    """`POST /v2/navi.json` of SDK 5.28 and newer."""
    if request.method == "OPTIONS":
        return Response(204, headers=_PREFLIGHT)
    if request.method != "POST":
        return Response(405, headers=_CORS)
    # The header says "conn=6" if the question went over https.
    encrypted = "conn=6" in request.headers.get("rc-negotiate", "")
    answer = _answer(request, _parameter(request.body, "token"), encrypted=encrypted)
    if answer is None:
        return Response(401, headers=_CORS)
    return Response(200, json.dumps(answer), "application/json", _CORS)


def script_answer(request: Request) -> Response:
    """`GET /navi.js` of older SDKs: the same as a call of the function that they name."""
    callback = _parameter(request.query, "callBack") or "getServerEndpoint"
    if request.method != "GET" or not _CALLBACK.fullmatch(callback):
        return Response(400, headers=_CORS)
    answer = _answer(request, _parameter(request.query, "token"), encrypted=False)
    if answer is None:
        return Response(401, headers=_CORS)
    return Response(200, f"{callback}({json.dumps(answer)});", "text/javascript", _CORS)


def ping_answer(request: Request) -> Response:
    """`GET /ping`, which older SDKs ask the gateway before they open the socket."""
    return Response(200, "ok", headers=_PREFLIGHT)


def _answer(request: Request, token: str, *, encrypted: bool) -> dict[str, object] | None:
    """None if the token is not one of ours, or there is no saying where the gateway is."""
    try:
        claims = tokens.read(token.partition("@")[0], now=_WHENEVER)
    except tokens.TokenRefused:
        return None
    address, encrypted = _gateway(request, encrypted)
    if not address:
        return None
    return {
        "code": 200,
        "userId": claims.user_id,
        "server": address,
        "backupServer": "",
        "serverAddr": [
            {"addr": address, "protocol": ENCRYPTED if encrypted else PLAIN, "weight": 10}
        ],
        "subDriven": ONLINE_STATUS,
        "logSwitch": 0,
    }


def _gateway(request: Request, encrypted: bool) -> tuple[str, bool]:
    """Host and port of the gateway, and whether to use TLS. No host if the request has none."""
    url = urlsplit(settings.GATEWAY_URL or f"//{request.headers.get('host', '')}")
    if settings.GATEWAY_URL:
        encrypted = url.scheme == "wss"
    try:
        host, port = url.netloc.rpartition("@")[2], url.port
    except ValueError:
        return "", encrypted
    name = host.removesuffix(f":{port}") if port else host.rstrip(":")
    if not _HOST.fullmatch(name):
        return "", encrypted
    return f"{name}:{port or (443 if encrypted else 80)}", encrypted


def _parameter(form: str, name: str) -> str:
    """The first value; "" if there is none."""
    try:
        return parse_qs(form, errors="strict", max_num_fields=20).get(name, [""])[0]
    except ValueError:
        return ""
