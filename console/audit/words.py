"""The words for each type of audit event. The type checker reports an `AuditType` without words."""

from dataclasses import dataclass
from typing import assert_never

from applications.audit_types import AuditType
from applications.lazy_texts import gettext_lazy


@dataclass(frozen=True)
class Words:
    """`tone`: "error" (red) takes something away, "success" (green) gives it back.
    `about_user`: the subject is the id of an app user, not a staff account or empty.
    """

    sentence: str
    icon: str
    tone: str = ""
    about_user: bool = False


def words(type: str) -> Words:
    """The words for a type. A type that only older versions recorded is its own sentence."""
    try:
        known = AuditType(type)
    except ValueError:
        return Words(type, "circle")
    return _words(known)


def _words(type: AuditType) -> Words:
    match type:
        case AuditType.APPLICATION_CREATED:
            return Words(gettext_lazy("Application created"), "layout-grid")
        case AuditType.APPLICATION_RENAMED:
            return Words(gettext_lazy("Application renamed"), "layout-grid")
        case AuditType.ENVIRONMENT_CHANGED:
            return Words(gettext_lazy("Settings changed"), "settings")
        case AuditType.APPLICATION_DOORS_CHANGED:
            return Words(gettext_lazy("Vendors of the Server API changed"), "layout-grid")
        case AuditType.APPLICATION_SECOND_FACTOR_CHANGED:
            return Words(
                gettext_lazy("Second factor of members required, or no longer"), "shield-check"
            )
        case AuditType.ENVIRONMENT_DELETION_UNLOCKED:
            return Words(gettext_lazy("Deletion by API unlocked"), "settings")
        case AuditType.ENVIRONMENT_DELETION_LOCKED:
            return Words(gettext_lazy("Deletion by API locked"), "settings")
        case AuditType.SECRET_ADDED:
            return Words(gettext_lazy("App secret added"), "key-round")
        case AuditType.SECRET_END_CHANGED:
            return Words(gettext_lazy("End of an app secret changed"), "key-round")
        case AuditType.SECRET_REVOKED:
            return Words(gettext_lazy("App secret revoked"), "key-round", "error")
        case AuditType.API_CALL_SENT:
            return Words(gettext_lazy("API call sent from the console"), "send")
        case AuditType.WEBHOOK_ADDED:
            return Words(gettext_lazy("Webhook added"), "webhook")
        case AuditType.WEBHOOK_CHANGED:
            return Words(gettext_lazy("Webhook changed"), "webhook")
        case AuditType.WEBHOOK_SECRET_ADDED:
            return Words(gettext_lazy("Webhook secret added"), "webhook")
        case AuditType.WEBHOOK_SECRET_REVOKED:
            return Words(gettext_lazy("Webhook secret revoked"), "webhook")
        case AuditType.WEBHOOK_DISABLED:
            return Words(gettext_lazy("Webhook disabled"), "webhook")
        case AuditType.WEBHOOK_ENABLED:
            return Words(gettext_lazy("Webhook enabled"), "webhook")
        case AuditType.WEBHOOK_REMOVED:
            return Words(gettext_lazy("Webhook removed"), "webhook")
        case AuditType.WEBHOOK_REPLAYED:
            return Words(gettext_lazy("Webhook delivery sent again"), "webhook")
        case AuditType.WEBHOOK_TESTED:
            return Words(gettext_lazy("Webhook test event sent"), "webhook")
        case AuditType.QUOTA_REACHED:
            return Words(gettext_lazy("Quota threshold reached"), "ticket")
        case AuditType.MEMBER_ADDED:
            return Words(gettext_lazy("Member added"), "users-round")
        case AuditType.MEMBER_INVITED:
            return Words(gettext_lazy("Invitation link created"), "users-round")
        case AuditType.MEMBER_CHANGED:
            return Words(gettext_lazy("Member's role changed"), "users-round")
        case AuditType.MEMBER_REMOVED:
            return Words(gettext_lazy("Member removed"), "users-round")
        case AuditType.MEMBER_FACTOR_ADDED:
            return Words(gettext_lazy("Member's way to sign in added"), "shield-check")
        case AuditType.MEMBER_FACTOR_REMOVED:
            return Words(gettext_lazy("Member's way to sign in removed"), "shield-off", "error")
        case AuditType.MEMBER_PASSWORD_CHANGED:
            return Words(gettext_lazy("Member's password changed"), "key-round")
        case AuditType.MEMBER_ACCOUNT_CHANGED:
            return Words(gettext_lazy("Member's account changed"), "users-round", "warning")
        case AuditType.TOKENS_REVOKED:
            return Words(gettext_lazy("All access tokens revoked"), "log-out", "error")
        case AuditType.USER_REGISTERED:
            return Words(gettext_lazy("User registered by staff"), "user", about_user=True)
        case AuditType.USER_UPDATED:
            return Words(gettext_lazy("User updated"), "user", about_user=True)
        case AuditType.USER_DELETED:
            return Words(gettext_lazy("User deleted"), "user", "error", about_user=True)
        case AuditType.USER_DEACTIVATED:
            return Words(gettext_lazy("User deactivated"), "user", "warning", about_user=True)
        case AuditType.USER_ERASED:
            return Words(gettext_lazy("Deactivated user's data erased"), "user", about_user=True)
        case AuditType.USER_REACTIVATED:
            return Words(gettext_lazy("User reactivated"), "user", "success", about_user=True)
        case AuditType.USER_TOKENS_EXPIRED:
            return Words(gettext_lazy("Access tokens expired"), "user", about_user=True)
        case AuditType.USER_TOKEN_ISSUED:
            return Words(gettext_lazy("Access token issued to staff"), "user", about_user=True)
        case AuditType.USER_KICKED:
            return Words(gettext_lazy("Connections closed"), "user", about_user=True)
        case AuditType.USERS_SAMPLED:
            return Words(gettext_lazy("Sample users loaded"), "users")
        case AuditType.USER_PINNED:
            return Words(gettext_lazy("Pinned"), "pin", about_user=True)
        case AuditType.USER_UNPINNED:
            return Words(gettext_lazy("Unpinned"), "pin-off", about_user=True)
        case AuditType.LEASE_CHANGED:
            return Words(gettext_lazy("Lease changed"), "timer", about_user=True)
        case AuditType.LEASE_RULE_ADDED:
            return Words(gettext_lazy("Lease rule added"), "timer")
        case AuditType.LEASE_RULE_REMOVED:
            return Words(gettext_lazy("Lease rule removed"), "timer-off")
        case AuditType.DELETION_UNDONE:
            return Words(gettext_lazy("Deletion undone"), "undo-2", "success", about_user=True)
        case AuditType.DELETION_PREVIEWED:
            return Words(gettext_lazy("Deletion previewed"), "trash-2")
        case AuditType.DELETION_STARTED:
            return Words(gettext_lazy("Deletion started"), "trash-2")
        case AuditType.DELETION_FINISHED:
            return Words(gettext_lazy("Deletion finished"), "trash-2")
        case AuditType.DELETION_CANCELLED:
            return Words(gettext_lazy("Deletion cancelled"), "trash-2")
        case AuditType.IMPORT_CHECKED:
            return Words(gettext_lazy("Import checked"), "file-up")
        case AuditType.IMPORT_STARTED:
            return Words(gettext_lazy("Import started"), "file-up")
        case AuditType.IMPORT_FINISHED:
            return Words(gettext_lazy("Import finished"), "file-up")
        case AuditType.IMPORT_CANCELLED:
            return Words(gettext_lazy("Import cancelled"), "file-x")
        case AuditType.EXPORT_STARTED:
            return Words(gettext_lazy("Export started"), "file-down")
        case AuditType.EXPORT_CANCELLED:
            return Words(gettext_lazy("Export cancelled"), "file-x")
        case AuditType.USER_PASSWORD_CHANGED:
            return Words(gettext_lazy("Password changed"), "user", about_user=True)
        case AuditType.PROFILE_CHANGED:
            return Words(gettext_lazy("Profile changed"), "id-card", about_user=True)
        case AuditType.PROFILE_CLEARED:
            return Words(gettext_lazy("Profile cleared"), "id-card", about_user=True)
        case AuditType.ATTRIBUTES_CHANGED:
            return Words(gettext_lazy("Attributes changed"), "braces", about_user=True)
        case AuditType.ATTRIBUTES_CLEARED:
            return Words(gettext_lazy("Attributes cleared"), "braces", about_user=True)
        case AuditType.TAGS_CHANGED:
            return Words(gettext_lazy("Tags changed"), "tags", about_user=True)
        case AuditType.REMARKS_CHANGED:
            return Words(gettext_lazy("Remarks changed"), "tags", about_user=True)
        case AuditType.FRIEND_REQUESTED:
            return Words(gettext_lazy("Friend requested"), "handshake", about_user=True)
        case AuditType.FRIEND_ADDED:
            return Words(gettext_lazy("Friend added"), "handshake", about_user=True)
        case AuditType.FRIEND_DECLINED:
            return Words(gettext_lazy("Friend request declined"), "handshake", about_user=True)
        case AuditType.FRIEND_REMOVED:
            return Words(gettext_lazy("Friend removed"), "handshake", about_user=True)
        case AuditType.FRIEND_DESCRIBED:
            return Words(gettext_lazy("Friend's alias changed"), "handshake", about_user=True)
        case AuditType.FRIEND_PERMISSION_CHANGED:
            return Words(gettext_lazy("Friend permission changed"), "handshake", about_user=True)
        case AuditType.MUTE_IMPOSED:
            return Words(gettext_lazy("Muted"), "volume-x", about_user=True)
        case AuditType.MUTE_LIFTED:
            return Words(gettext_lazy("Mute lifted"), "volume-x", about_user=True)
        case AuditType.BAN_IMPOSED:
            return Words(gettext_lazy("Banned"), "ban", "error", about_user=True)
        case AuditType.BAN_CHANGED:
            return Words(gettext_lazy("Ban changed"), "ban", about_user=True)
        case AuditType.BAN_LIFTED:
            return Words(gettext_lazy("Ban lifted"), "ban", "success", about_user=True)
        case AuditType.BAN_EXPIRED:
            return Words(gettext_lazy("Ban ended"), "ban", about_user=True)
        case AuditType.BLOCKLIST_ADDED:
            return Words(gettext_lazy("Added to blocklist"), "list-x", about_user=True)
        case AuditType.BLOCKLIST_REMOVED:
            return Words(gettext_lazy("Removed from blocklist"), "list-x", about_user=True)
        case AuditType.ALLOWLIST_ADDED:
            return Words(gettext_lazy("Added to allowlist"), "list-checks", about_user=True)
        case AuditType.ALLOWLIST_REMOVED:
            return Words(gettext_lazy("Removed from allowlist"), "list-checks", about_user=True)
        case AuditType.ALLOWLIST_SWITCHED:
            return Words(gettext_lazy("Allowlist switched"), "list-checks", about_user=True)
        case _:
            assert_never(type)
