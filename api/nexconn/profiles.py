"""Nexconn's calls about hosted profiles."""

from typing import Any

from ninja import Body, Router

from api import calls
from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from users import hosted_profiles
from users.models import Profile

router = Router(tags=["Hosted profiles"])
# Lists may be asked for without a body.
FIRST_PAGE = schemas.ProfileList()
PROFILES = Answer[schemas.HostedProfiles]


@router.post("/v4/user/profile/set", response=Done)
def profile_set(request: Request, body: Body[schemas.ProfileSet]) -> Any:
    """Merge these fields into a user's profile."""
    hosted_profiles.set_fields(
        **request.auth.who_and_when,
        user_id=body.userId,
        basic=body.userProfile,
        extended=body.userExtProfile,
    )
    return Done()


@router.post("/v4/user/profile/delete", response=Done)
def profile_delete(request: Request, body: Body[schemas.Users]) -> Any:
    """Remove the profiles of those of these users who have one."""
    hosted_profiles.clear(**request.auth.who_and_when, user_ids=body.userIds)
    return Done()


@router.post("/v4/user/profile/batch/get", response=PROFILES, exclude_none=True)
def profile_batch_get(request: Request, body: Body[schemas.Users]) -> Any:
    """The profiles of those of these users who have one."""
    environment = request.auth.environment
    return _shown(hosted_profiles.of_users(environment=environment, user_ids=body.userIds))


@router.post("/v4/user/profile/list", response=PROFILES, exclude_none=True)
def profile_list(request: Request, body: Body[schemas.ProfileList] = FIRST_PAGE) -> Any:
    """All profiles, by registration of their users."""
    page = calls.hosted_profiles_by_registration(
        request.auth, page=body.page, size=body.pageSize, newest_first=body.order == 1
    )
    return _shown(page)


def _shown(profiles: list[Profile]) -> Answer[schemas.HostedProfiles]:
    users = [
        schemas.HostedProfile(
            userId=profile.user.user_id,
            version=profile.version,
            userProfile=profile.basic or None,
            userExtProfile=profile.extended or None,
        )
        for profile in profiles
    ]
    return Answer(result=schemas.HostedProfiles(users=users))
