"""RongCloud's callbacks: online status, and the results of deactivations and reactivations."""

import json
from urllib.parse import urlencode

from api.callbacks import OPERATION, STATUS, signed_format
from applications.models import Delivery
from applications.unix_time import milliseconds
from applications.webhook_formats import Body


def _body(delivery: Delivery) -> Body:
    if delivery.event in STATUS:
        return Body("application/json", _online_status(delivery))
    return Body("application/x-www-form-urlencoded", _operation(delivery))


def _online_status(delivery: Delivery) -> str:
    data = delivery.data
    change = {
        "userid": data["user_id"],
        "status": STATUS[delivery.event],
        "os": data["platform"],
        "time": milliseconds(delivery.occurred_at),
        "clientIp": data["address"] or "",
        "sessionId": str(data["connection"]),
    }
    return json.dumps([change], separators=(",", ":"))


def _operation(delivery: Delivery) -> str:
    return urlencode(
        {
            "userId": delivery.data["user_id"],
            "operateId": delivery.data["operation_id"],
            "type": OPERATION[delivery.event],
            "code": "0",
            "time": milliseconds(delivery.occurred_at),
        }
    )


FORMAT = signed_format(label="RongCloud callbacks", body=_body)
