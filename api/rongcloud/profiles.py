"""RongCloud's calls about hosted profiles."""

import json
from typing import Any

from ninja import Form, Router

from api import calls
from api.rongcloud import schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from users import hosted_profiles
from users.models import Profile

router = Router(tags=["Hosted profiles"])


@router.post("/user/profile/set.json", response=Done)
def profile_set(request: Request, form: Form[schemas.ProfileSet]) -> Any:
    """Merge these fields into a user's profile."""
    hosted_profiles.set_fields(
        **request.auth.who_and_when,
        user_id=form.userId,
        basic=form.userProfile,
        extended=form.userExtProfile,
    )
    return Done()


@router.post("/user/profile/clean.json", response=Done)
def profile_clean(request: Request, form: Form[schemas.FewUsers]) -> Any:
    """Remove the profiles of those of these users who have one."""
    hosted_profiles.clear(**request.auth.who_and_when, user_ids=form.userId)
    return Done()


@router.post("/user/profile/batch/query.json", response=schemas.Profiles)
def profile_batch_query(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """The profiles of those of these users who have one."""
    environment = request.auth.environment
    return _shown(hosted_profiles.of_users(environment=environment, user_ids=form.userId))


@router.post("/user/profile/query.json", response=schemas.Profiles)
def profile_query(request: Request, form: Form[schemas.ProfileQuery]) -> Any:
    """All profiles, by registration of their users."""
    page = calls.hosted_profiles_by_registration(
        request.auth, page=form.page, size=form.size, newest_first=form.order == "1"
    )
    return _shown(page)


def _shown(profiles: list[Profile]) -> schemas.Profiles:
    return schemas.Profiles(
        userList=[
            schemas.Profile(
                userId=profile.user.user_id,
                version=profile.version,
                userProfile=json.dumps(profile.basic, ensure_ascii=False),
                userExtProfile=json.dumps(profile.extended, ensure_ascii=False),
            )
            for profile in profiles
        ]
    )
