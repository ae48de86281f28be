"""App users and what belongs to them, for support."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from applications.admin_base import SECTION, SupportAdmin, console_url, section, timeline
from users import deletion, friends, presence, tokens
from users.models import (
    AppUser,
    Attributes,
    Connection,
    DeactivatedUser,
    DeletedUser,
    DeletionItem,
    DeletionJob,
    FriendRequest,
    Friendship,
    GatewayProcess,
    KickReport,
    LeaseRule,
    Message,
    Notice,
    Place,
    Profile,
    RegistrationTally,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)


@admin.register(AppUser)
class AppUserAdmin(SupportAdmin):
    """Users in development can be deleted; all users can be signed out. Users cannot be added here:
    they register by API call, or as test users in the console.
    """

    list_display = ("user_id", "name", "environment", "registered_at", "last_seen_at")
    fields: ClassVar[Any] = (
        *("environment", "user_id", "uuid", "name", "avatar_url", "friend_permission"),
        *("push_settings", "registered_at", "changed_at", "last_seen_at", "tokens_valid_from"),
        *("open_connections", "friends", "timeline"),
    )
    readonly_fields: ClassVar[Any] = ("open_connections", "friends", "timeline")
    search_ids = ("user_id",)
    actions = ("sign_out_everywhere",)
    refusals = {
        deletion.NotInProduction: "",
        tokens.UnknownUsers: "Some of these users were deleted meanwhile. Nothing was changed.",
    }

    def view_on_site(self, obj: AppUser) -> str | None:
        return console_url("users:detail", obj.environment, obj.user_id)

    @admin.display
    def open_connections(self, user: AppUser) -> str:
        found = presence.connections(
            environment=user.environment, user_id=user.user_id, now=timezone.now()
        )
        return section(
            (
                reverse("admin:users_connection_change", args=[each.pk]),
                f"{each.platform} {each.device} from {each.address}",
            )
            for each in found[:SECTION]
        )

    @admin.display
    def friends(self, user: AppUser) -> str:
        return f"{friends.count(environment=user.environment, user_id=user.user_id):,}"

    @admin.display
    def timeline(self, user: AppUser) -> str:
        return timeline(user.environment, user.user_id)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        in_production = obj is not None and not obj.environment.is_development
        return self.holds(request, "delete") and not in_production

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        return self.holds(request, "change")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A summary instead of Django's list: `deletion.delete` deletes what belongs to a user."""
        everything = "with tokens, connections, bans, lists, friends and profile"
        return [f"{user}, {everything}" for user in objs], {"app users": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        by, now = self.actor_and_time(request)
        deletion.delete(environment=obj.environment, user_ids=[obj.user_id], by=by, now=now)

    @admin.action(description="Sign out everywhere", permissions=["sign_out"])
    @transaction.atomic
    def sign_out_everywhere(self, request: HttpRequest, queryset: QuerySet[AppUser]) -> None:
        by, now = self.actor_and_time(request)
        users = self.selected(request, queryset)
        for user in users:
            tokens.sign_out_everywhere(
                environment=user.environment, user_id=user.user_id, by=by, now=now
            )
        self.message_user(request, f"{len(users)} signed out everywhere.")


@admin.register(RegistrationTally)
class RegistrationTallyAdmin(SupportAdmin):
    list_display = ("day", "environment", "count")
    search_help_text = "App key"


@admin.register(Place)
class PlaceAdmin(SupportAdmin):
    list_display = ("user", "taken_by", "taken_via", "lease_until", "pinned_at")
    list_select_related = ("user",)
    search_path = "user__environment"
    search_ids = ("user__user_id",)


@admin.register(LeaseRule)
class LeaseRuleAdmin(SupportAdmin):
    list_display = ("prefix", "environment", "lasts", "added_by")
    search_ids = ("prefix",)


@admin.register(DeactivatedUser)
class DeactivatedUserAdmin(SupportAdmin):
    list_display = ("user_id", "environment", "deactivated_at", "via", "erased_at")
    search_ids = ("user_id",)

    def view_on_site(self, obj: DeactivatedUser) -> str | None:
        return console_url("users:detail", obj.environment, obj.user_id)


@admin.register(DeletedUser)
class DeletedUserAdmin(SupportAdmin):
    """Shows who was deleted when. What is kept for an undo is not shown."""

    list_display = ("user_id", "environment", "deleted_at", "deleted_by", "undone_at")
    fields = (
        *("environment", "user_id", "life", "job", "deleted_at", "deleted_by"),
        *("undone_at", "undone_by"),
    )
    search_ids = ("user_id",)


@admin.register(DeletionJob)
class DeletionJobAdmin(SupportAdmin):
    list_display = ("pk", "environment", "state", "previewed_at", "confirmed_by", "finished_at")
    search_help_text = "App key"

    def view_on_site(self, obj: DeletionJob) -> str | None:
        return console_url("quota:job", obj.environment, obj.pk)


@admin.register(DeletionItem)
class DeletionItemAdmin(SupportAdmin):
    list_display = ("user_id", "job", "result", "reason", "done_at")
    list_select_related = ("job",)
    search_path = "job__environment"
    search_ids = ("user_id",)


@admin.register(GatewayProcess)
class GatewayProcessAdmin(SupportAdmin):
    list_display = ("name", "started_at", "lease_until")
    list_select_related = ()
    search_path = ""


@admin.register(Connection)
class ConnectionAdmin(SupportAdmin):
    list_display = ("user_id", "environment", "platform", "device", "address", "connected_at")
    list_select_related = ("environment__application", "gateway")
    search_ids = ("user_id",)


@admin.register(KickReport)
class KickReportAdmin(SupportAdmin):
    list_display = ("kicked_at", "user_id", "environment", "gateway", "connections", "closed_at")
    search_ids = ("user_id",)


@admin.register(Message)
class MessageAdmin(SupportAdmin):
    """Shows who wrote to whom and when. Support does not see the text."""

    list_display = ("sender_id", "recipient_id", "environment", "sent_at", "delivered_at")
    fields = ("environment", "sender_id", "recipient_id", "client_id", "sent_at", "delivered_at")
    search_ids = ("sender_id", "recipient_id")


@admin.register(Notice)
class NoticeAdmin(SupportAdmin):
    list_display = ("kind", "sender_id", "recipient_id", "environment", "posted_at", "delivered_at")
    search_ids = ("sender_id", "recipient_id")


@admin.register(Profile)
class ProfileAdmin(SupportAdmin):
    list_display = ("user", "version")
    list_select_related = ("user",)
    search_path = "user__environment"
    search_ids = ("user__user_id",)


@admin.register(Attributes, UserTags)
class OwnedAdmin(SupportAdmin):
    list_display = ("owner_id", "environment")
    search_ids = ("owner_id",)


@admin.register(Remark)
class RemarkAdmin(SupportAdmin):
    list_display = ("owner_id", "about_id", "text", "environment")
    search_ids = ("owner_id", "about_id")


@admin.register(Status)
class StatusAdmin(SupportAdmin):
    list_display = ("owner_id", "text", "environment", "changed_at")
    search_ids = ("owner_id",)


@admin.register(StatusSubscription)
class StatusSubscriptionAdmin(SupportAdmin):
    list_display = ("owner_id", "about_id", "environment", "expires_at")
    search_ids = ("owner_id", "about_id")


@admin.register(Friendship)
class FriendshipAdmin(SupportAdmin):
    list_display = ("owner_id", "friend_id", "environment", "added_at")
    search_ids = ("owner_id", "friend_id")


@admin.register(FriendRequest)
class FriendRequestAdmin(SupportAdmin):
    list_display = ("sender_id", "recipient_id", "environment", "requested_at")
    search_ids = ("sender_id", "recipient_id")
