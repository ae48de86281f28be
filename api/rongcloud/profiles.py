"""RongCloud's calls about hosted profiles."""

import json
from collections.abc import Iterable
from typing import Any

from ninja import Form, Router

from api import numbered
from api.rongcloud import schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from applications.models import Environment
from users import hosted_profiles

router = Router(tags=["Hosted profiles"])


@router.post("/user/profile/set.json", response=Done)
def profile_set(request: Request, form: Form[schemas.ProfileSet]) -> Any:
    """Merge these fields into a user's profile."""
    caller = request.auth
    hosted_profiles.set_fields(
        environment=caller.environment,
        user_id=form.userId,
        basic=form.userProfile,
        extended=form.userExtProfile,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/user/profile/clean.json", response=Done)
def profile_clean(request: Request, form: Form[schemas.FewUsers]) -> Any:
    """Remove these users' profiles."""
    caller = request.auth
    hosted_profiles.clear(
        environment=caller.environment, user_ids=form.userId, by=caller.actor, now=caller.now
    )
    return Done()


@router.post("/user/profile/batch/query.json", response=schemas.Profiles)
def profile_batch_query(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """The profiles of those of these users who have one."""
    return _shown(request.auth.environment, form.userId)


@router.post("/user/profile/query.json", response=schemas.Profiles)
def profile_query(request: Request, form: Form[schemas.ProfileQuery]) -> Any:
    """All profiles, by registration of their users."""
    environment = request.auth.environment
    order = ("registered_at", "id") if form.order == "0" else ("-registered_at", "-id")
    users = numbered.page(
        hosted_profiles.holders(environment), *order, number=form.page, size=form.size
    )
    return _shown(environment, [user.user_id for user in users])


def _shown(environment: Environment, user_ids: Iterable[str]) -> schemas.Profiles:
    return schemas.Profiles(
        userList=[
            schemas.Profile(
                userId=profile.user.user_id,
                version=profile.version,
                userProfile=json.dumps(profile.basic, ensure_ascii=False),
                userExtProfile=json.dumps(profile.extended, ensure_ascii=False),
            )
            for profile in hosted_profiles.of_users(environment=environment, user_ids=user_ids)
        ]
    )
