"""Nexconn's webhooks: connection status, and the outcome of soft-deletions and restores.

Only the envelope and `user:connection_status` are published. The type, the name and the fields of
the other event are our choice, in the words of the calls that cause it.
"""

import json
from typing import Any

from api.callbacks import app_secret, milliseconds, sign
from applications.models import Delivery
from applications.webhook_formats import Body, Format

# The opposite of what user/connection-status/get answers.
_STATUS = {"user.online": "0", "user.offline": "1"}
_TYPE = {"user.deactivated": 0, "user.reactivated": 1}


def _body(delivery: Delivery) -> Body:
    happened_at = milliseconds(delivery.occurred_at)
    status = delivery.event in _STATUS
    said = _connection_status(delivery) if status else _operation(delivery)
    text = json.dumps(
        {
            "type": "user:connection_status" if status else "user:soft_delete_status",
            "id": delivery.message_id,
            "time": happened_at,
            "data": [{**said, "time": happened_at}],
        },
        separators=(",", ":"),
    )
    return Body("application/json", text)


def _connection_status(delivery: Delivery) -> dict[str, Any]:
    said = delivery.data
    change = {
        "userId": said["user_id"],
        "status": _STATUS[delivery.event],
        "os": said["platform"],
        "clientIp": said["address"],
        "sessionId": str(said["connection"]),
    }
    return {name: value for name, value in change.items() if value}


def _operation(delivery: Delivery) -> dict[str, Any]:
    return {
        "userId": delivery.data["user_id"],
        "operationId": delivery.data["operation_id"],
        "type": _TYPE[delivery.event],
        "code": "0",
    }


FORMAT = Format(
    label="Nexconn webhooks",
    events=(*_STATUS, *_TYPE),
    body=_body,
    has_own_secret=False,
    signing_secrets=app_secret,
    sign=sign,
)
