"""Nexconn's calls about hosted profiles."""

from collections.abc import Iterable
from typing import Any

from ninja import Body, Router

from api import numbered
from api.nexconn import schemas
from api.nexconn.wire import Answer, Done
from api.vendor import Request
from applications.models import Environment
from users import hosted_profiles

router = Router(tags=["Hosted profiles"])
# Lists may be asked for without a body.
FIRST_PAGE = schemas.ProfileList()


@router.post("/v4/user/profile/set", response=Done)
def profile_set(request: Request, body: Body[schemas.ProfileSet]) -> Any:
    """Merge these fields into a user's profile."""
    caller = request.auth
    hosted_profiles.set_fields(
        environment=caller.environment,
        user_id=body.userId,
        basic=body.userProfile,
        extended=body.userExtProfile,
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/v4/user/profile/delete", response=Done)
def profile_delete(request: Request, body: Body[schemas.Users]) -> Any:
    """Remove these users' profiles."""
    caller = request.auth
    hosted_profiles.clear(
        environment=caller.environment, user_ids=body.userIds, by=caller.actor, now=caller.now
    )
    return Done()


@router.post("/v4/user/profile/batch/get", response=Answer[schemas.HostedProfiles])
def profile_batch_get(request: Request, body: Body[schemas.Users]) -> Any:
    """The profiles of those of these users who have one."""
    return _shown(request.auth.environment, body.userIds)


@router.post("/v4/user/profile/list", response=Answer[schemas.HostedProfiles])
def profile_list(request: Request, body: Body[schemas.ProfileList] = FIRST_PAGE) -> Any:
    """All profiles, by registration of their users."""
    environment = request.auth.environment
    order = ("registered_at", "id") if body.order == 0 else ("-registered_at", "-id")
    users = numbered.page(
        hosted_profiles.holders(environment), *order, number=body.page, size=body.pageSize
    )
    return _shown(environment, [user.user_id for user in users])


def _shown(environment: Environment, user_ids: Iterable[str]) -> Answer[schemas.HostedProfiles]:
    users = [
        schemas.HostedProfile(
            userId=profile.user.user_id,
            version=profile.version,
            userProfile=profile.basic,
            userExtProfile=profile.extended,
        )
        for profile in hosted_profiles.of_users(environment=environment, user_ids=user_ids)
    ]
    return Answer(result=schemas.HostedProfiles(users=users))
