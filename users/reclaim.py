"""Which test users could go, so that others find a place: a plan with a reason for each.

Only suggests; `users.deletion` previews and deletes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from applications.models import FREE_USER_LIMIT, Environment
from users.models import AppUser
from users.registration import SAMPLE_PREFIX

# Whoever registered or was seen more recently than this is not suggested.
QUIET_FOR = timedelta(days=7)
# New users get a while to connect for the first time.
NEVER_CONNECTED_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Candidate:
    user: AppUser
    reason: str


def plan(
    *, environment: Environment, wanted: int, now: datetime, prefix: str = ""
) -> list[Candidate]:
    """Up to `wanted` users with grounds to go, the least missed first; `prefix` narrows by id.

    First samples, then those who never connected, oldest first, then those not seen for longest.
    Shorter than `wanted` when not so many have grounds.
    """
    users = AppUser.objects.in_environment(environment).online(now)
    online = set(users.values_list("pk", flat=True))
    everyone = AppUser.objects.in_environment(environment)
    if prefix:
        everyone = everyone.with_prefix(prefix)
    # Twice the limit: only development has a plan, and development never holds more than one.
    held = everyone.order_by("registered_at", "pk")[: 2 * FREE_USER_LIMIT]
    ranked = []
    for user in held:
        if user.pk in online:
            continue
        age, unseen = now - user.registered_at, now - (user.last_seen_at or user.registered_at)
        if user.user_id.startswith(SAMPLE_PREFIX):
            ranked.append((0, -age, Candidate(user, "A sample user")))
        elif user.last_seen_at is None and age >= NEVER_CONNECTED_FOR:
            reason = f"Never connected in {_days(age)} since registration"
            ranked.append((1, -age, Candidate(user, reason)))
        elif unseen >= QUIET_FOR:
            ranked.append((2, -unseen, Candidate(user, f"Not seen for {_days(unseen)}")))
    ranked.sort(key=lambda entry: entry[:2])
    return [candidate for _, _, candidate in ranked[:wanted]]


def _days(span: timedelta) -> str:
    return "1 day" if span.days == 1 else f"{span.days} days"
