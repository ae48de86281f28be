"""Bans, mutes, blocklists and allowlists, for support."""

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from applications.admin_base import SupportAdmin
from applications.models import Environment
from moderation import bans
from moderation.models import (
    AllowlistEntry,
    AllowlistSwitch,
    Ban,
    BlocklistEntry,
    Mute,
    SweepRun,
)


@admin.register(Ban)
class BanAdmin(SupportAdmin):
    """Bans are never edited; a ban in force can be lifted."""

    list_display = ("user_id", "environment", "imposed_at", "imposed_by", "expires_at", "outcome")
    fields = (
        *("environment", "user_id", "reason", "tell_reason"),
        *("imposed_at", "imposed_by", "imposed_via"),
        *("banned_since", "expires_at", "outcome", "closed_at", "closed_by", "closed_via"),
    )
    search_ids = ("user_id",)
    actions = ("lift",)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return self.holds(request, "change")

    @admin.action(description="Lift", permissions=["lift"])
    @transaction.atomic
    def lift(self, request: HttpRequest, queryset: QuerySet[Ban]) -> None:
        by, now = self.actor_and_time(request)
        # Skips bans that are over: lifting by id would lift a newer ban of the same user.
        banned: dict[Environment, list[str]] = {}
        for ban in self.selected(request, queryset):
            if ban.is_in_force(now):
                banned.setdefault(ban.environment, []).append(ban.user_id)
        lifted = sum(
            len(bans.lift(environment=environment, user_ids=user_ids, by=by, now=now))
            for environment, user_ids in banned.items()
        )
        self.message_user(request, f"Lifted: {lifted}.")


@admin.register(SweepRun)
class SweepRunAdmin(SupportAdmin):
    list_display = ("ran_at", "closed")
    list_select_related = ()
    search_path = ""


@admin.register(Mute)
class MuteAdmin(SupportAdmin):
    list_display = ("user_id", "environment", "channel", "imposed_at", "expires_at")
    search_ids = ("user_id",)


@admin.register(BlocklistEntry, AllowlistEntry)
class ListEntryAdmin(SupportAdmin):
    list_display = ("owner_id", "listed_id", "environment", "added_at", "added_by")
    search_ids = ("owner_id", "listed_id")


@admin.register(AllowlistSwitch)
class AllowlistSwitchAdmin(SupportAdmin):
    list_display = ("owner_id", "environment", "switched_on_at")
    search_ids = ("owner_id",)
