"""Applications, environments, keys, members, accounts and the audit trail, for support."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import slugify

from applications import environments, members, second_factors, vendors
from applications.admin_base import SupportAdmin
from applications.models import (
    Application,
    AppSecret,
    AuditCut,
    AuditEvent,
    AuditSeal,
    Delivery,
    Environment,
    Member,
    StaffSession,
    Webhook,
)
from applications.requests import acting_staff


@admin.register(Application)
class ApplicationAdmin(SupportAdmin):
    """Applications can be renamed. The console and `manage.py create_application` create them."""

    list_display = ("name", "org_name", "created_at")
    list_select_related = ()
    readonly_fields = ("org_name", "vendors", "second_factor_required", "created_at")
    fields = ("name", *readonly_fields)
    search_path = "environments"
    search_help_text = "App key, or start of an org name"
    refusals = {environments.InvalidName: ""}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "change")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        named = queryset.filter(environments__app_key=search_term)
        if not search_term or named.exists():
            return named if search_term else queryset, False
        return queryset.filter(org_name__startswith=slugify(search_term)), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, now = self.actor_and_time(request)
        environments.rename(application=obj, name=obj.name, by=by, now=now)


class EnvironmentForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in self.fields.keys() & cleaned.keys() & environments.SETTINGS.keys():
            is_valid, error = environments.SETTINGS[name]
            if not is_valid(cleaned[name]):
                self.add_error(name, error)
        return cleaned

    def clean_vendor_settings(self) -> dict[str, Any]:
        given = self.cleaned_data["vendor_settings"]
        if given is None:  # the field was emptied
            return {}
        if not isinstance(given, dict) or not all(
            isinstance(each, dict) for each in given.values()
        ):
            raise forms.ValidationError("This must be an object: vendor → object of settings.")
        try:
            return vendors.merged({}, given)
        except vendors.InvalidSetting as error:
            raise forms.ValidationError(f"{error.name}: {error}") from None


@admin.register(Environment)
class EnvironmentAdmin(SupportAdmin):
    """Plan and settings can be changed."""

    form = EnvironmentForm
    list_display = ("application", "kind", "plan", "app_key", "created_at")
    list_filter = ("kind", "plan")
    list_select_related = ("application",)
    settings = (
        "plan",
        "token_lifetime",
        "reactivation_cooling_off",
        "friends_only",
        "ids_ignore_case",
        "vendor_settings",
    )
    shown = (
        *("application", "kind", "app_key", "created_at"),
        *("deletion_unlocked_until", "tokens_valid_from"),
    )
    fields = (*shown[:4], *settings, *shown[4:])
    search_path = "pk"
    search_help_text = "App key"
    view_on_site = True
    refusals = {environments.PlanNotAllowed: "", vendors.InvalidSetting: ""}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "change")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        is_always_trial = obj is not None and obj.is_development
        return (*self.shown, "plan") if is_always_trial else self.shown

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, now = self.actor_and_time(request)
        wanted = {name: form.cleaned_data[name] for name in form.changed_data}
        if "vendor_settings" in wanted:  # settings removed from the document get their defaults
            wanted["vendor_settings"] = vendors.complete(wanted["vendor_settings"])
        environments.change(environment=obj, by=by, now=now, **wanted)


@admin.register(AppSecret)
class AppSecretAdmin(SupportAdmin):
    """The secret itself is never shown. The console's page Keys creates and revokes secrets."""

    list_display = ("hint", "environment", "created_at", "last_used_at", "revoked_at")
    fields = (
        *("environment", "hint", "created_at", "created_by"),
        *("last_used_at", "revoked_at"),
    )
    search_help_text = "App key"


@admin.register(Member)
class MemberAdmin(SupportAdmin):
    """Members can be added, given another role, and removed."""

    list_display = ("account", "role", "application", "added_at", "added_by")
    list_filter = ("role",)
    list_select_related = ("account", "application")
    fields = ("application", "account", "role", "by_groups", "added_at", "added_by")
    raw_id_fields = ("application", "account")
    search_path = "account"
    search_help_text = "Username"
    refusals = {
        members.AlreadyMember: "This account is already a member.",
        members.LastOwner: "An application needs an owner. Make somebody else owner first.",
        members.RoleOfGroups: "The role follows groups of the identity provider.",
        members.NotMember: "Somebody else has removed this member in the meantime.",
    }

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.holds(request, "delete")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = ("application", "account") if obj else ()
        return (*fixed, "by_groups", "added_at", "added_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = queryset.filter(account__username=search_term) if search_term else queryset
        return found, False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by, now = self.actor_and_time(request)
        application = obj.application
        if change:
            members.change_role(
                application=application, member_id=obj.pk, role=obj.role, by=by, now=now
            )
            return
        username = obj.account.get_username()
        member, _ = members.add(
            application=application, username=username, role=obj.role, by=by, now=now
        )
        obj.pk = member.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        by, now = self.actor_and_time(request)
        members.remove(application=obj.application, member_id=obj.pk, by=by, now=now)


@admin.register(AuditEvent)
class AuditEventAdmin(SupportAdmin):
    list_display = ("at", "type", "subject", "application", "environment", "actor", "via")
    list_select_related = ("application", "environment__application")
    search_ids = ("subject",)


@admin.register(AuditCut)
class AuditCutAdmin(SupportAdmin):
    list_display = ("number", "made_at", "first_seal", "last_seal", "lines", "kept")
    list_select_related = ()
    search_path = ""


@admin.register(AuditSeal)
class AuditSealAdmin(SupportAdmin):
    list_display = ("number", "sealed_at", "lines", "first_id", "last_id", "seal")
    list_select_related = ()
    exclude = ("line_hashes",)
    search_path = ""


@admin.register(Webhook)
class WebhookAdmin(SupportAdmin):
    """The secrets are never shown. The console's page Webhooks creates and changes webhooks."""

    list_display = ("url", "environment", "created_at", "disabled_at", "disabled_reason")
    fields = (
        *("environment", "url", "events", "format", "created_at", "created_by"),
        *("disabled_at", "disabled_reason"),
    )
    search_help_text = "App key"


@admin.register(Delivery)
class DeliveryAdmin(SupportAdmin):
    list_display = ("event", "webhook", "state", "attempts", "status", "next_attempt_at")
    list_select_related = ("webhook",)
    search_path = "webhook__environment"
    search_help_text = "App key"


@admin.register(StaffSession)
class StaffSessionAdmin(SupportAdmin):
    """Where accounts are signed in. What a session holds is not shown."""

    list_display = ("account", "address", "browser", "signed_in_at", "last_used_at")
    list_select_related = ("account",)
    fields = (*list_display, "expire_date")
    search_path = "account"
    search_help_text = "Username"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found = queryset.filter(account__username=search_term) if search_term else queryset
        return found, False


admin.site.unregister(get_user_model())


@admin.register(get_user_model())
class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    """An account that is a member cannot be deleted, because an application needs an owner: remove
    the member first, or make the account inactive.

    What decides who may enter is in the audit trail of each application of which the account is a
    member; the rest, and accounts that are no members, only in Django's own log.
    """

    audited = ("username", "is_active", "is_staff", "is_superuser")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = get_user_model().objects.filter(pk=obj.pk).values(*self.audited).first() or {}
        super().save_model(request, obj, form, change)
        before = {name: was for name, was in stored.items() if was != getattr(obj, name)}
        if before:
            by, now = acting_staff(request, via="admin"), timezone.now()
            after = {name: getattr(obj, name) for name in before}
            second_factors.account_changed(account=obj, before=before, after=after, by=by, now=now)

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        response = super().user_change_password(request, id, form_url)
        # It redirects after a change. Without one it shows the form, again or at first.
        if request.method == "POST" and response.status_code == 302:
            by, now = acting_staff(request, via="admin"), timezone.now()
            account = get_user_model().objects.get(pk=unquote(id))
            second_factors.password_changed(account=account, by=by, now=now)
        return response

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_member = obj is not None and obj.memberships.exists()
        return super().has_delete_permission(request, obj) and not is_member
