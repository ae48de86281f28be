"""RongCloud's calls about users."""

from collections.abc import Sequence
from typing import Any

from api import offset_paging
from api.calls import users
from api.calls.users import BY_REGISTRATION, LAST_REGISTERED_FIRST
from api.fields import format_time
from api.rongcloud import schemas
from api.rongcloud.settings import settings_of
from api.rongcloud.wire import DevelopmentOnly
from api.tables import Call
from api.vendor import Caller
from applications.models import Environment
from users import deletion
from users.models import AppUser


def issue_token(
    caller: Caller, user_id: str, name: str, avatar_url: str | None = None
) -> dict[str, Any]:
    """Register a user, or give a registered user another token. The token ends in `@` and the
    gateway's address if the environment's settings have it.
    """
    issued = users.issue_token(caller, user_id, name, avatar_url)
    address = settings_of(caller.environment).gateway_address
    return {**issued, "token": f"{issued['token']}@{address}"} if address else issued


def list_users(caller: Caller, page: int, size: int, order: int) -> dict[str, Any]:
    """The registered users of a development environment, in the order of registration."""
    _require_development(caller.environment)
    everyone = AppUser.objects.in_environment(caller.environment)
    order_by = LAST_REGISTERED_FIRST if order else BY_REGISTRATION
    return {
        "total": everyone.count(),
        "users": [
            {
                "user_id": user.user_id,
                "name": user.name,
                "avatar_url": user.avatar_url,
                "registered_at": format_time(user.registered_at),
            }
            for user in offset_paging.page(everyone, *order_by, number=page, size=size)
        ],
    }


def delete_test_users(caller: Caller, user_ids: Sequence[str]) -> None:
    """Delete test users to free their places. Ids that are not registered are skipped."""
    _require_development(caller.environment)
    deletion.delete(**caller.who_and_when, user_ids=user_ids, skip_unknown=True)


def groups(caller: Caller, user_id: str, page: int, size: int) -> dict[str, Any]:
    """A user's groups: always none, because there are no groups here."""
    return {"groups": []}


def _require_development(environment: Environment) -> None:
    if not environment.is_development:
        raise DevelopmentOnly


CALLS = (
    Call("/user/getToken.json", issue_token, schemas.GetToken, schemas.Token),
    Call("/user/token/expire.json", users.expire_tokens, schemas.ExpireTokens),
    Call("/user/refresh.json", users.update, schemas.Refresh),
    Call("/user/info.json", users.get, schemas.User, schemas.Info),
    Call("/user/checkOnline.json", users.online_status, schemas.User, schemas.Online),
    Call("/user/deactivate.json", users.deactivate, schemas.ManyUsers, schemas.Operation),
    Call(
        "/user/deactivate/query.json", users.deactivated, schemas.DeactivatedQuery, schemas.UserIds
    ),
    Call("/user/reactivate.json", users.reactivate, schemas.ManyUsers, schemas.Operation),
    Call("/user/query.json", list_users, schemas.UserQuery, schemas.ListedUsers),
    Call("/user/delusers.json", delete_test_users, schemas.ManyUsers),
    Call("/user/group/query.json", groups, schemas.UserGroupQuery, schemas.Groups),
)
