"""Nexconn's webhooks: connection status, and the outcome of soft-deletions and restores.

Only the envelope and `user:connection_status` are published. The type, the name and the fields of
the other event are our choice, in the words of the calls that cause it.
"""

import json

from api.callbacks import OPERATION, STATUS, milliseconds, signed_format
from applications.models import Delivery
from applications.webhook_formats import Body


def _body(delivery: Delivery) -> Body:
    told, happened_at = delivery.data, milliseconds(delivery.occurred_at)
    if delivery.event in STATUS:
        kind = "user:connection_status"
        change = {
            "status": STATUS[delivery.event],
            "os": told["platform"],
            "clientIp": told["address"],
            "sessionId": str(told["connection"]),
        }
        change = {name: value for name, value in change.items() if value}
    else:
        kind = "user:soft_delete_status"
        change = {
            "operationId": told["operation_id"],
            "type": OPERATION[delivery.event],
            "code": "0",
        }
    event = {"userId": told["user_id"], **change, "time": happened_at}
    envelope = {"type": kind, "id": delivery.message_id, "time": happened_at, "data": [event]}
    return Body("application/json", json.dumps(envelope, separators=(",", ":")))


FORMAT = signed_format(label="Nexconn webhooks", body=_body)
