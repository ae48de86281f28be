"""RongCloud's calls about users."""

from typing import Any

from ninja import Form, Router

from api import calls, numbered
from api.fields import printed
from api.rongcloud import schemas
from api.rongcloud.auth import LIMITS
from api.rongcloud.wire import DevelopmentOnly, Done
from api.vendor import Request
from applications.models import Environment
from users import deactivation, deletion, profiles, registration
from users.models import AppUser

router = Router(tags=["Users"])


@router.post("/user/getToken.json", response=schemas.Token)
def get_token(request: Request, form: Form[schemas.GetToken]) -> Any:
    """Register a user, or give a registered one a further token."""
    caller = request.auth
    registered = registration.register(
        environment=caller.environment,
        user_id=form.userId,
        name=form.name,
        avatar_url=form.portraitUri,
        now=caller.now,
    )
    return schemas.Token(userId=form.userId, token=registered.token)


@router.post("/user/token/expire.json", response=Done)
def expire_tokens(request: Request, form: Form[schemas.ExpireTokens]) -> Any:
    """Tokens issued before `time` are dead; open connections stay open. Ids that are not registered
    are skipped.
    """
    calls.expire_tokens(request.auth, form.userId, form.time)
    return Done()


@router.post("/user/refresh.json", response=Done)
def refresh(request: Request, form: Form[schemas.Refresh]) -> Any:
    """Change name or avatar; what is not sent stays."""
    profiles.update(
        **request.auth.who_and_when,
        user_id=form.userId,
        name=form.name,
        avatar_url=form.portraitUri,
    )
    return Done()


@router.post("/user/info.json", response=schemas.Info)
def info(request: Request, form: Form[schemas.User]) -> Any:
    """Name, avatar and time of registration."""
    user = profiles.get(environment=request.auth.environment, user_id=form.userId)
    return schemas.Info(
        userName=user.name, userPortrait=user.avatar_url, createTime=printed(user.registered_at)
    )


@router.post("/user/checkOnline.json", response=schemas.Online)
def check_online(request: Request, form: Form[schemas.User]) -> Any:
    """Whether a user is online: 1, or not: 0."""
    return schemas.Online(status=calls.online_status(request.auth, form.userId))


@router.post("/user/deactivate.json", response=schemas.Operation)
def deactivate(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """Erase these users and disable their ids."""
    LIMITS.count_users(request.auth, len(form.userId))
    operation = deactivation.deactivate(**request.auth.who_and_when, user_ids=form.userId)
    return schemas.Operation(operateId=operation)


@router.post("/user/deactivate/query.json", response=schemas.UserIds)
def deactivated_query(request: Request, form: Form[schemas.DeactivatedQuery]) -> Any:
    """Deactivated ids, the latest first, erased or still to be."""
    return schemas.UserIds(
        users=calls.deactivated(request.auth, page=form.pageNo, size=form.pageSize)
    )


@router.post("/user/reactivate.json", response=schemas.Operation)
def reactivate(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """Enable these ids again; what was erased stays erased."""
    LIMITS.count_users(request.auth, len(form.userId))
    operation = deactivation.reactivate(**request.auth.who_and_when, user_ids=form.userId)
    return schemas.Operation(operateId=operation)


@router.post("/user/query.json", response=schemas.ListedUsers)
def query(request: Request, form: Form[schemas.UserQuery]) -> Any:
    """The registered users of a development environment, by registration."""
    environment = request.auth.environment
    _require_development(environment)
    everyone = AppUser.objects.in_environment(environment)
    order = calls.BY_REGISTRATION if form.order == "0" else calls.LAST_REGISTERED_FIRST
    users = numbered.page(everyone, *order, number=form.page, size=form.pageSize)
    return schemas.ListedUsers(
        total=everyone.count(),
        users=[
            schemas.ListedUser(
                userId=user.user_id,
                userName=user.name,
                userPortrait=user.avatar_url,
                regTime=printed(user.registered_at),
            )
            for user in users
        ],
    )


@router.post("/user/group/query.json", response=schemas.Groups)
def group_query(request: Request, form: Form[schemas.UserGroupQuery]) -> Any:
    """The groups that a user is in: none, for there are no groups here."""
    return schemas.Groups(groups=[])


@router.post("/user/delusers.json", response=Done)
def delete_users(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """Delete test users to free their places. Ids that are not registered are skipped."""
    _require_development(request.auth.environment)
    deletion.delete(**request.auth.who_and_when, user_ids=form.userId, skip_unknown=True)
    return Done()


def _require_development(environment: Environment) -> None:
    if not environment.is_development:
        raise DevelopmentOnly
