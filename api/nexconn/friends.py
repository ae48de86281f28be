"""Nexconn's calls about friends."""

from api.calls import friends
from api.nexconn import schemas
from api.tables import Call

CALLS = (
    Call("/v4/friend/add", friends.add, schemas.FriendAdd),
    Call("/v4/friend/remove", friends.remove, schemas.FriendRemove),
    Call("/v4/friend/remove-all", friends.remove_all, schemas.User),
    Call("/v4/friend/list", friends.page, schemas.FriendList, schemas.Friends),
    Call(
        "/v4/friend/relationship/get",
        friends.relations,
        schemas.RelationshipGet,
        schemas.Relationships,
    ),
    Call("/v4/friend/permission/set", friends.set_permission, schemas.PermissionSet),
    Call("/v4/friend/permission/get", friends.permissions, schemas.ManyUsers, schemas.Permissions),
    Call("/v4/friend/profile/set", friends.describe, schemas.FriendProfileSet),
)
