"""The law of admission, said slowly: what `users_admit` does at once, row by row in the ORM.

For one caller at a time; that it holds for many is proven in `tests/races`.
"""

from collections import Counter

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.counting import Count
from applications.models import Environment
from users.admission import Admitted, UserDeactivated
from users.models import AppUser, DeactivatedUser, RegistrationTally
from users.quota import THRESHOLDS, QuotaExceeded


@transaction.atomic
def admit(*, environment, newcomers, now, renew=False, leave_out_deactivated=False):
    environment = Environment.objects.get(pk=environment.pk)  # its plan, as it is now
    known = {
        user.user_id: user
        for user in AppUser.objects.filter(environment=environment)
        if user.user_id in {each.user_id for each in newcomers}
    }
    unknown = [each for each in newcomers if each.user_id not in known]
    deactivated = [
        each.user_id
        for each in unknown
        if DeactivatedUser.objects.filter(environment=environment, user_id=each.user_id).exists()
    ]
    if deactivated and not leave_out_deactivated:
        raise UserDeactivated(deactivated)
    fresh = [each for each in unknown if each.user_id not in deactivated]

    limit, used = environment.user_limit, AppUser.objects.filter(environment=environment).count()
    if limit is not None and fresh:
        if used + len(fresh) > limit:
            raise QuotaExceeded(
                limit=limit, used=Count(used), is_development=environment.is_development
            )
        for percent in THRESHOLDS:
            if used < percent * limit / 100 <= used + len(fresh):
                audit.record(
                    "quota.reached",
                    environment=environment,
                    by=Actor.system("quota"),
                    now=now,
                    after={"percent": percent, "used": used + len(fresh), "limit": limit},
                )
    new = {
        each.user_id: AppUser.objects.create(
            environment=environment,
            user_id=each.user_id,
            name=each.name or "",
            avatar_url=each.avatar_url or "",
            password=each.password,
            registered_at=each.registered_at,
            last_seen_at=each.last_seen_at,
        ).pk
        for each in fresh
    }
    for day, count in Counter(each.registered_at.date() for each in fresh).items():
        tally, _ = RegistrationTally.objects.get_or_create(
            environment=environment, day=day, shard=0
        )
        tally.count += count
        tally.save()
    if renew:
        for each in newcomers:
            if user := known.get(each.user_id):
                user.name = user.name if each.name is None else each.name
                user.avatar_url = user.avatar_url if each.avatar_url is None else each.avatar_url
                user.save()
    return Admitted(new, {user_id: user.pk for user_id, user in known.items()})
