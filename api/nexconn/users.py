"""Nexconn's calls about users."""

from api.calls import users
from api.nexconn import schemas
from api.tables import Call

CALLS = (
    Call("/v4/auth/access-token/issue", users.issue_token, schemas.IssueToken, schemas.Token),
    Call("/v4/auth/access-token/expire", users.expire_tokens, schemas.ExpireTokens),
    Call("/v4/user/get", users.get, schemas.User, schemas.Profile),
    Call("/v4/user/update", users.update, schemas.Update),
    Call("/v4/user/connection-status/get", users.online_status, schemas.User, schemas.Status),
    Call("/v4/user/soft-delete", users.deactivate, schemas.ManyUsers, schemas.Operation),
    Call("/v4/user/soft-deleted/list", users.deactivated, schemas.SoftDeletedList, schemas.UserIds),
    Call("/v4/user/restore", users.reactivate, schemas.ManyUsers, schemas.Operation),
)
