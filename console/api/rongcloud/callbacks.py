"""RongCloud's callbacks: online status, and the outcome of deactivations and reactivations.

Bans, deletions and the quota have no callback there.
"""

import json
from datetime import datetime
from urllib.parse import urlencode

from applications.models import Delivery
from applications.webhooks import Format, Prepared
from console.api.callbacks import app_secret, milliseconds, signed

# The opposite of what checkOnline answers.
_STATUS = {"user.online": "0", "user.offline": "1"}
_TYPE = {"user.deactivated": "0", "user.reactivated": "1"}


def write(delivery: Delivery, texts: list[str], now: datetime) -> Prepared:
    form = delivery.event in _TYPE
    body = _operation(delivery) if form else _online_status(delivery)
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    url = signed(delivery.webhook.url, texts[0], now)
    return Prepared(url, {"Content-Type": kind}, body.encode())


def _online_status(delivery: Delivery) -> str:
    said = delivery.data
    change = {
        "userid": said["user_id"],
        "status": _STATUS[delivery.event],
        "os": said["platform"],
        "time": milliseconds(delivery.occurred_at),
        "clientIp": said["address"] or "",
        "sessionId": str(said["connection"]),
    }
    return json.dumps([change], separators=(",", ":"))


def _operation(delivery: Delivery) -> str:
    return urlencode(
        {
            "userId": delivery.data["user_id"],
            "operateId": delivery.data["operation_id"],
            "type": _TYPE[delivery.event],
            "code": "0",
            "time": milliseconds(delivery.occurred_at),
        }
    )


FORMAT = Format(
    label="RongCloud callbacks",
    events=(*_STATUS, *_TYPE),
    has_own_secret=False,
    signing_secrets=app_secret,
    write=write,
)
