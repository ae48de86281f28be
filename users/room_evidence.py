"""The evidence about room: a place in the quota, and a further connection."""

from datetime import datetime

from django.utils.translation import gettext

from applications.evidence import State, Step
from applications.models import Environment
from users import presence, quota
from users.models import Connection


def place_step(*, environment: Environment, now: datetime) -> Step:
    """Whether the id could be registered: the quota."""
    usage = quota.usage(environment=environment, now=now)
    if usage.limit is None:
        return Step(
            rule="quota",
            title=gettext("A place is free"),
            state=State.RESTS,
            explanation=gettext("The plan {plan} has no limit.").format(
                plan=gettext(environment.plan)
            ),
        )
    full = usage.free == 0
    words = (
        gettext("{users} of {limit:,} places are taken. Nobody can be registered.")
        if full
        else gettext("{users} of {limit:,} places are taken.")
    )
    return Step(
        rule="quota",
        title=gettext("A place is free"),
        state=State.REFUSES if full else State.HOLDS,
        explanation=words.format(users=usage.users, limit=usage.limit),
        mend="free_places" if full else "",
    )


def connections_step(*, environment: Environment, user_id: str, now: datetime) -> Step:
    """Whether the user may open a further connection."""
    held = Connection.objects.open(now).for_users(environment, [user_id]).count()
    full = held >= presence.MAX_CONNECTIONS
    return Step(
        rule="too_many_connections",
        title=gettext("Room for a further connection"),
        state=State.REFUSES if full else State.HOLDS,
        explanation=gettext("{held} of at most {max_connections} connections are open.").format(
            held=held, max_connections=presence.MAX_CONNECTIONS
        ),
        mend="kick" if full else "",
        about={"user_id": user_id},
    )
