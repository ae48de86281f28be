"""RongCloud's calls about users."""

from typing import Any

from ninja import Form, Router

from api import numbered
from api.codes import DevelopmentOnly
from api.fields import moment, printed
from api.rongcloud import auth, schemas
from api.rongcloud.wire import Done
from api.vendor import Request
from applications.models import Environment
from users import deactivation, deletion, presence, profiles, registration, tokens
from users.models import AppUser, DeactivatedUser

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
    """Tokens issued before `time` are dead; open connections stay open."""
    caller = request.auth
    tokens.expire(
        environment=caller.environment,
        user_ids=form.userId,
        before=moment(form.time),
        by=caller.actor,
        now=caller.now,
    )
    return Done()


@router.post("/user/refresh.json", response=Done)
def refresh(request: Request, form: Form[schemas.Refresh]) -> Any:
    """Change name or avatar; what is not sent stays."""
    caller = request.auth
    profiles.update(
        environment=caller.environment,
        user_id=form.userId,
        name=form.name,
        avatar_url=form.portraitUri,
        by=caller.actor,
        now=caller.now,
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
    caller = request.auth
    online = presence.is_online(environment=caller.environment, user_id=form.userId, now=caller.now)
    return schemas.Online(status="1" if online else "0")


@router.post("/user/deactivate.json", response=schemas.Operation)
def deactivate(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """Erase these users and disable their ids."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.userId))
    operation = deactivation.deactivate(
        environment=caller.environment, user_ids=form.userId, by=caller.actor, now=caller.now
    )
    return schemas.Operation(operateId=operation)


@router.post("/user/deactivate/query.json", response=schemas.UserIds)
def deactivated_query(request: Request, form: Form[schemas.DeactivatedQuery]) -> Any:
    """Deactivated ids, the latest first, erased or still to be."""
    tombstones = numbered.page(
        DeactivatedUser.objects.filter(environment=request.auth.environment),
        *("-deactivated_at", "-id"),
        number=form.pageNo,
        size=form.pageSize,
    )
    return schemas.UserIds(users=[each.user_id for each in tombstones])


@router.post("/user/reactivate.json", response=schemas.Operation)
def reactivate(request: Request, form: Form[schemas.ManyUsers]) -> Any:
    """Enable these ids again; what was erased stays erased."""
    caller = request.auth
    auth.LIMITS.count_users(caller, len(form.userId))
    operation = deactivation.reactivate(
        environment=caller.environment, user_ids=form.userId, by=caller.actor, now=caller.now
    )
    return schemas.Operation(operateId=operation)


@router.post("/user/query.json", response=schemas.ListedUsers)
def query(request: Request, form: Form[schemas.UserQuery]) -> Any:
    """The registered users of a development environment, by registration."""
    environment = request.auth.environment
    _require_development(environment)
    everyone = AppUser.objects.in_environment(environment)
    order = ("registered_at", "id") if form.order == "0" else ("-registered_at", "-id")
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
    """Delete test users, all or none, to free their places."""
    caller = request.auth
    _require_development(caller.environment)
    deletion.delete(
        environment=caller.environment, user_ids=form.userId, by=caller.actor, now=caller.now
    )
    return Done()


def _require_development(environment: Environment) -> None:
    if not environment.is_development:
        raise DevelopmentOnly
