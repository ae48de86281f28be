"""The last day of an environment, by the hour: who was online, what was refused, who was banned."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from applications import hourly
from applications.audit_types import AuditType
from applications.counting import EXACT_UP_TO
from applications.hourly import Figure
from applications.models import Environment
from applications.statements import Statement
from users.models import Connection

ByHour = list[tuple[datetime, int]]

# An hour counts no further than the last value, so a million bans cost no more than 24 times that.
_BANS = Statement(
    "SELECT hour, (SELECT count(*) FROM (SELECT FROM applications_auditevent"
    " WHERE environment_id = %s AND type = %s AND at >= hour AND at < hour + interval '1 hour'"
    " LIMIT %s) AS bounded)"
    " FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') AS hour"
    " ORDER BY hour"
)


@dataclass(frozen=True)
class LastDay:
    """Each list has 24 hours, oldest first, this hour last. `online` is the most users at once.
    `online` and `refused` are empty while Redis is down.
    """

    online: ByHour
    refused: ByHour
    banned: ByHour
    # What was refused → how often in these hours.
    refusals: dict[Figure, int]


def read(*, environment: Environment, online_now: int, now: datetime) -> LastDay:
    """One query and one round trip to Redis. `online_now` counts for this hour as well."""
    hours = hourly.lately(environment.pk, now=now)
    online = [(hour, figures.get(Figure.ONLINE, 0)) for hour, figures in hours]
    if online:
        hour, highest = online[-1]
        online[-1] = (hour, max(highest, online_now))
    return LastDay(
        online=online,
        refused=[
            (hour, sum(figures.get(each, 0) for each in hourly.REFUSED)) for hour, figures in hours
        ],
        banned=_banned(environment, now),
        refusals={
            each: sum(figures.get(each, 0) for _, figures in hours) for each in hourly.REFUSED
        },
    )


def _banned(environment: Environment, now: datetime) -> ByHour:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first = this_hour - timedelta(hours=hourly.HOURS - 1)
    return [
        (hour, number)
        for hour, number in _BANS.rows(
            environment.pk, AuditType.BAN_IMPOSED.value, EXACT_UP_TO, first, this_hour
        )
    ]


def sample_online(*, now: datetime) -> None:
    """Note how many users are online in each environment. Raises `redis.RedisError`."""
    online = Connection.objects.open(now).values_list("environment")
    hourly.raise_to(
        Figure.ONLINE, dict(online.annotate(Count("user_id", distinct=True)).order_by()), now=now
    )
