"""Tells those who subscribe to a user's presence that it changed: that a connection was opened or
closed, or that the user published a status (`users.statuses`).

A change is told to who is connected, and not kept: whoever connects later asks for the presence.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from users import bus
from users.models import StatusSubscription


def tell(*, environment_id: int, user_ids: Iterable[str], now: datetime) -> None:
    """Notify the gateways at commit. One query; nothing more if nobody subscribes."""
    subscriptions = StatusSubscription.objects.filter(
        environment=environment_id, about_id__in=list(user_ids), expires_at__gt=now
    )
    changed: dict[str, list[str]] = defaultdict(list)
    for number, (owner_id, about_id) in enumerate(
        subscriptions.values_list("owner_id", "about_id").iterator(), start=1
    ):
        changed[owner_id].append(about_id)
        if number % bus.KEYS_AT_ONCE == 0:
            bus.publish("presence", environment=environment_id, changed=dict(changed))
            changed.clear()
    if changed:
        bus.publish("presence", environment=environment_id, changed=dict(changed))
