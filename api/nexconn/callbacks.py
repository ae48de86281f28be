"""Nexconn's webhooks: connection status, and the results of soft-deletions and restores.

Nexconn documents only the envelope and `user:connection_status`. We chose the type and the fields
of the other event, with the names of the calls that cause it.
"""

import json

from api.callbacks import OPERATION, STATUS, signed_format
from applications.models import Delivery
from applications.unix_time import milliseconds
from applications.webhook_formats import Body


def _body(delivery: Delivery) -> Body:
    data, happened_at = delivery.data, milliseconds(delivery.occurred_at)
    if delivery.event in STATUS:
        kind = "user:connection_status"
        change = {
            "status": STATUS[delivery.event],
            "os": data["platform"],
            "clientIp": data["address"],
            "sessionId": str(data["connection"]),
        }
        change = {name: value for name, value in change.items() if value}
    else:
        kind = "user:soft_delete_status"
        operation = {"operationId": data["operation_id"], "type": OPERATION[delivery.event]}
        change = {**operation, "code": "0"}
    event = {"userId": data["user_id"], **change, "time": happened_at}
    envelope = {"type": kind, "id": delivery.message_id, "time": happened_at, "data": [event]}
    return Body("application/json", json.dumps(envelope, separators=(",", ":")))


FORMAT = signed_format(label="Nexconn webhooks", body=_body)
