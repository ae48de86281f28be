"""App users and what belongs to them, friends, tombstones, deletion jobs, connections.

Invariants
----------
* A `user_id` is unique in its environment, and compares by bytes.
* An id is registered (a row in AppUser), deactivated (a row in DeactivatedUser), or neither; never
  both. The functions that change this hold `identity.lock`.
* The primary key of an AppUser identifies one life of an id: an id that is deleted and registered
  again is another row, and references to the first row do not point to the second.
* Models for ids that need not be registered (connections; in other apps, bans and lists) refer to
  users by (environment, user_id), not by foreign key.
"""

from users.models.app_users import (
    AVATAR_URL_MAX_LENGTH,
    NAME_MAX_LENGTH,
    AppUser,
    AppUserQuerySet,
    FriendPermission,
    RegistrationTally,
)
from users.models.connections import (
    Connection,
    ConnectionQuerySet,
    GatewayProcess,
    KickReason,
)
from users.models.deactivated import DeactivatedUser, DeactivatedUserQuerySet
from users.models.deleted import UNDO_FOR, DeletedUser, DeletedUserQuerySet
from users.models.deletion_jobs import DeletionItem, DeletionItemQuerySet, DeletionJob
from users.models.friendships import FriendRequest, Friendship
from users.models.kick_reports import KickReport
from users.models.messages import Message, MessageQuerySet
from users.models.notices import Notice, NoticeKind, NoticeQuerySet
from users.models.personal_data import Attributes, Profile, Remark, UserTags
from users.models.places import LeaseRule, Place, PlaceQuerySet
from users.models.statuses import Status, StatusSubscription

__all__ = [
    "AVATAR_URL_MAX_LENGTH",
    "NAME_MAX_LENGTH",
    "UNDO_FOR",
    "AppUser",
    "AppUserQuerySet",
    "Attributes",
    "Connection",
    "ConnectionQuerySet",
    "DeactivatedUser",
    "DeactivatedUserQuerySet",
    "DeletedUser",
    "DeletedUserQuerySet",
    "DeletionItem",
    "DeletionItemQuerySet",
    "DeletionJob",
    "FriendPermission",
    "FriendRequest",
    "Friendship",
    "GatewayProcess",
    "KickReason",
    "KickReport",
    "LeaseRule",
    "Message",
    "MessageQuerySet",
    "Notice",
    "NoticeKind",
    "NoticeQuerySet",
    "Place",
    "PlaceQuerySet",
    "Profile",
    "RegistrationTally",
    "Remark",
    "Status",
    "StatusSubscription",
    "UserTags",
]
