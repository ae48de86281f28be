"""Who is online: subscriptions, and what subscribers are told.

All devices of a user count as one, a browser.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from applications.unix_time import milliseconds
from gateway import calls, protobuf
from gateway.calls import Client
from gateway.rongcloud.frames import NotSupported, messages
from users import identity
from users.statuses import MAX_LIFETIME

ONLINE_STATUS = 1  # what a subscription is about
SUBSCRIBE, UNSUBSCRIBE = 0, 1
STATUSES_CHANGED = 8  # the type of a notification
BROWSER = 3  # a platform
MAX_QUERIED = 1_000


def subscribe(client: Client, payload: bytes, now: datetime) -> Any:
    """Subscribe, or take subscriptions back."""
    asked = protobuf.read(messages.UpdateSubscriptions, payload)
    user_ids = _user_ids(asked)
    if asked.opType == UNSUBSCRIBE:
        calls.unwatch(client, user_ids)
    else:
        most = int(MAX_LIFETIME.total_seconds())
        calls.watch(client, user_ids, timedelta(seconds=max(1, min(asked.expiry, most))))
    return messages.SubscriptionsUpdated(subTime=milliseconds(now))


def subscriptions(watched: Mapping[str, datetime], now: datetime) -> bytes:
    """All of them, with the seconds that they have left."""
    listed = messages.Subscriptions(
        list=[
            messages.Subscription(
                subUsers=[messages.SubUser(subUserId=user_id)],
                subType=ONLINE_STATUS,
                subTime=milliseconds(now),
                expiry=max(1, int((until - now).total_seconds())),
                opType=SUBSCRIBE,
            )
            for user_id, until in watched.items()
        ],
        version=milliseconds(now),
        hasNext=False,
        isFull=True,
    )
    return bytes(listed.SerializeToString())


def query(client: Client, payload: bytes, now: datetime) -> Any:
    """Who of the named users is online."""
    return of(client, _user_ids(protobuf.read(messages.QueryStatuses, payload)), now)


def wants_everybody(payload: bytes) -> bool:
    """Whether a client asks for all whom it subscribes to, not only those who changed. Raises
    `Malformed`.
    """
    return bool(protobuf.read(messages.PullStatuses, payload).needAllData)


def of(client: Client, user_ids: Iterable[str], now: datetime, *, is_full: bool = False) -> Any:
    """`is_full` replaces what the client knew, without an event."""
    asked = list(user_ids)
    online = calls.online_among(client, asked)
    return messages.Statuses(
        list=[
            messages.UserStatus(
                subUserId=user_id,
                details=[
                    messages.PlatformStatus(
                        platform=BROWSER, value=int(user_id in online), time=milliseconds(now)
                    )
                ],
                subType=ONLINE_STATUS,
            )
            for user_id in asked
        ],
        versionTime=milliseconds(now),
        hasNext=False,
        isFull=is_full,
    )


def something_changed(now: datetime) -> bytes:
    """The payload of a notification."""
    notice = messages.NotifyMsg(type=STATUSES_CHANGED, time=milliseconds(now))
    return bytes(notice.SerializeToString())


def _user_ids(asked: Any) -> list[str]:
    if asked.subType != ONLINE_STATUS:
        raise NotSupported
    return identity.check_user_ids(str(each.subUserId) for each in asked.subUsers)[:MAX_QUERIED]
