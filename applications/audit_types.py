"""The types of audit lines, and the fields of a ban's lines."""

from enum import StrEnum
from typing import NotRequired, TypedDict


class AuditType(StrEnum):
    """The type of a change. `console.audit.words` has the sentences that pages show."""

    APPLICATION_CREATED = "application.created"
    APPLICATION_RENAMED = "application.renamed"
    ENVIRONMENT_CHANGED = "environment.changed"
    APPLICATION_DOORS_CHANGED = "application.doors_changed"
    ENVIRONMENT_DELETION_UNLOCKED = "environment.deletion_unlocked"
    ENVIRONMENT_DELETION_LOCKED = "environment.deletion_locked"
    SECRET_ADDED = "secret.added"
    SECRET_END_CHANGED = "secret.end_changed"
    SECRET_REVOKED = "secret.revoked"
    WEBHOOK_ADDED = "webhook.added"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_ADDED = "webhook.secret_added"
    WEBHOOK_SECRET_REVOKED = "webhook.secret_revoked"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_REPLAYED = "webhook.replayed"
    WEBHOOK_TESTED = "webhook.tested"
    QUOTA_REACHED = "quota.reached"
    MEMBER_ADDED = "member.added"
    MEMBER_INVITED = "member.invited"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    TOKENS_REVOKED = "tokens.revoked"
    USER_REGISTERED = "user.registered"
    USER_UPDATED = "user.updated"
    USER_DELETED = "user.deleted"
    USER_DEACTIVATED = "user.deactivated"
    USER_ERASED = "user.erased"
    USER_REACTIVATED = "user.reactivated"
    USER_TOKENS_EXPIRED = "user.tokens_expired"
    USER_TOKEN_ISSUED = "user.token_issued"
    USER_KICKED = "user.kicked"
    USERS_SAMPLED = "users.sampled"
    USER_PINNED = "user.pinned"
    USER_UNPINNED = "user.unpinned"
    LEASE_CHANGED = "lease.changed"
    LEASE_RULE_ADDED = "lease.rule_added"
    LEASE_RULE_REMOVED = "lease.rule_removed"
    DELETION_PREVIEWED = "deletion.previewed"
    DELETION_STARTED = "deletion.started"
    DELETION_FINISHED = "deletion.finished"
    DELETION_CANCELLED = "deletion.cancelled"
    DELETION_UNDONE = "deletion.undone"
    USER_PASSWORD_CHANGED = "user.password_changed"
    PROFILE_CHANGED = "profile.changed"
    PROFILE_CLEARED = "profile.cleared"
    ATTRIBUTES_CHANGED = "attributes.changed"
    ATTRIBUTES_CLEARED = "attributes.cleared"
    TAGS_CHANGED = "tags.changed"
    REMARKS_CHANGED = "remarks.changed"
    FRIEND_REQUESTED = "friend.requested"
    FRIEND_ADDED = "friend.added"
    FRIEND_DECLINED = "friend.declined"
    FRIEND_REMOVED = "friend.removed"
    FRIEND_DESCRIBED = "friend.described"
    FRIEND_PERMISSION_CHANGED = "friend.permission_changed"
    MUTE_IMPOSED = "mute.imposed"
    MUTE_LIFTED = "mute.lifted"
    BAN_IMPOSED = "ban.imposed"
    BAN_CHANGED = "ban.changed"
    BAN_LIFTED = "ban.lifted"
    BAN_EXPIRED = "ban.expired"
    BLOCKLIST_ADDED = "blocklist.added"
    BLOCKLIST_REMOVED = "blocklist.removed"
    ALLOWLIST_ADDED = "allowlist.added"
    ALLOWLIST_REMOVED = "allowlist.removed"
    ALLOWLIST_SWITCHED = "allowlist.switched"


class BanTerms(TypedDict):
    """A ban in `before` and `after` of an audit line."""

    until: str | None  # ISO 8601; None: permanent
    reason: str
    tell_reason: NotRequired[bool]  # only where staff chose to tell the user


class BanEnd(StrEnum):
    """How a ban ended, in webhooks."""

    LIFTED = "lifted"
    EXPIRED = "expired"
