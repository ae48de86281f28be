"""Bans, mutes, blocklists and allowlists, for support."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats, timezone

from applications.admin_base import SECTION, SupportAdmin, console_url, section
from applications.models import Environment
from moderation import bans, lists, mutes
from moderation.models import (
    AllowlistEntry,
    AllowlistSwitch,
    Ban,
    BlocklistEntry,
    Mute,
    SweepRun,
)
from users.admin import AppUserAdmin
from users.models import AppUser


class StateFilter(admin.SimpleListFilter):
    """Filters within one environment, whose app key is searched for: indexes of bans begin with it,
    and without it a rare outcome is one row among millions.
    """

    title = "state, with an app key in the search"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_force", "In force"), ("lifted", "Lifted"), ("expired", "Expired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value()
        words = request.GET.get("q", "").split()
        if state is None or not Environment.objects.filter(app_key__in=words).exists():
            return queryset
        if state == "in_force":
            return queryset.filter(closed_at=None, ends_at__gt=timezone.now())
        return queryset.filter(outcome=state)


@admin.register(Ban)
class BanAdmin(SupportAdmin):
    """Bans are never edited; a ban in force can be lifted."""

    list_display = (
        *("user_id", "environment", "reason", "imposed_at", "imposed_by", "expires_at", "outcome"),
    )
    list_filter = (StateFilter,)
    fields = (
        *("environment", "user_id", "reason", "tell_reason"),
        *("imposed_at", "imposed_by", "imposed_via"),
        *("banned_since", "expires_at", "outcome", "closed_at", "closed_by", "closed_via"),
    )
    search_ids = ("user_id",)
    actions = ("lift",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """An index has closed bans by their end."""
        closed = request.GET.get("state") in {"lifted", "expired"}
        return ("-closed_at", "-pk") if closed and request.GET.get("q") else ("-pk",)

    def view_on_site(self, obj: Ban) -> str | None:
        return console_url("users:detail", obj.environment, obj.user_id)

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


admin.site.unregister(AppUser)


@admin.register(AppUser)
class ModeratedUserAdmin(AppUserAdmin):
    """The user's page, with what is known here of the user."""

    _ours = ("bans", "mutes", "blocklist", "allowlist")
    fields = (*AppUserAdmin.fields[:-1], *_ours, AppUserAdmin.fields[-1])
    readonly_fields = (*AppUserAdmin.readonly_fields, *_ours)

    @admin.display
    def bans(self, user: AppUser) -> str:
        found = Ban.objects.filter(environment=user.environment, user_id=user.user_id)
        now = timezone.now()
        return section(
            (reverse("admin:moderation_ban_change", args=[ban.pk]), _described(ban, now))
            for ban in found.order_by("-pk")[:SECTION]
        )

    @admin.display
    def mutes(self, user: AppUser) -> str:
        found = mutes.by_channel(
            environment=user.environment, user_id=user.user_id, now=timezone.now()
        )
        return section(
            (
                reverse("admin:moderation_mute_change", args=[mute.pk]),
                f"{channel.label}, until {_end(mute.expires_at)}",
            )
            for channel, mute in found.items()
        )

    @admin.display
    def blocklist(self, user: AppUser) -> str:
        return self._listed(BlocklistEntry, user)

    @admin.display
    def allowlist(self, user: AppUser) -> str:
        on = lists.allowlists_on(environment=user.environment, owner_ids=[user.user_id])
        return f"{self._listed(AllowlistEntry, user)}, {'switched on' if on else 'switched off'}"

    def _listed(self, model: Any, user: AppUser) -> str:
        theirs = model.objects.of(user.environment, user.user_id).count()
        others = model.objects.naming(user.environment, user.user_id)[: lists.MAX_ENTRIES + 1]
        return f"{theirs:,} on it, and on the lists of {others.count():,} others"


def _described(ban: Ban, now: datetime) -> str:
    state = "in force" if ban.is_in_force(now) else ban.get_outcome_display() or "over"
    reason = f": {ban.reason}" if ban.reason else ""
    return f"{state}, until {_end(ban.expires_at)}, by {ban.imposed_by}{reason}"


def _end(moment: datetime | None) -> str:
    return formats.date_format(moment, "DATETIME_FORMAT") if moment else "lifted"
