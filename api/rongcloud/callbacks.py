"""RongCloud's callbacks: online status, and the outcome of deactivations and reactivations.

Bans, deletions and the quota have no callback there.
"""

import json
from urllib.parse import urlencode

from api.callbacks import app_secret, milliseconds, sign
from applications.models import Delivery
from applications.webhook_formats import Body, Format

# The opposite of what checkOnline answers.
_STATUS = {"user.online": "0", "user.offline": "1"}
_TYPE = {"user.deactivated": "0", "user.reactivated": "1"}


def _body(delivery: Delivery) -> Body:
    if delivery.event in _STATUS:
        return Body("application/json", _online_status(delivery))
    return Body("application/x-www-form-urlencoded", _operation(delivery))


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
    body=_body,
    has_own_secret=False,
    signing_secrets=app_secret,
    sign=sign,
)
