"""Every page that the URLconf has, and who may open it.

The tables below are the law. `test_access.py` compares them with the URLs that exist, so a page
without a row fails before anybody can open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from applications import request_log
from applications.models import AuditEvent, Role
from tests.console.pages import address
from tests.factories import (
    HOUR,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_delivery,
    make_environment,
    make_export,
    make_import,
    make_logged_call,
    make_member,
    make_user,
    make_webhook,
    staff_actor,
)
from users import deletion, lease_rules
from users.models import DeletedUser

VIEW, USERS, MODERATE = "view", "manage_users", "moderate"
APPLICATION, MEMBERS, LOCKS = "manage_application", "manage_members", "lift_locks"

# The permissions of each role.
DEVELOPMENT = {
    "viewer": {VIEW},
    "tester": {VIEW, USERS, MODERATE},
    "moderator": {VIEW, MODERATE},
    "admin": {VIEW, MODERATE, USERS, APPLICATION},
    "owner": {VIEW, MODERATE, USERS, APPLICATION, MEMBERS, LOCKS},
}
PRODUCTION = {**DEVELOPMENT, "tester": {VIEW}}
PERMISSIONS = {"development": DEVELOPMENT, "production": PRODUCTION}


@dataclass(frozen=True)
class Page:
    """What a page requires. `args` are the names of its URL's arguments after the environment's."""

    needs: str
    methods: str
    args: tuple[str, ...] = ()


READ, FORM, POST = "GET", "GET POST", "POST"
USER, SECRET, MEMBER = ("user_id",), ("secret_id",), ("member_id",)
JOB, BAN, TOMBSTONE = ("job_id",), ("ban_id",), ("tombstone",)
WEBHOOK = ("webhook_id",)
IMPORT, EXPORT = ("import_id",), ("export_id",)

ENVIRONMENT_PAGES = {
    # console
    "environment:index": Page(VIEW, READ),
    "users:index": Page(VIEW, READ),
    "users:detail": Page(VIEW, READ, USER),
    "connections:index": Page(VIEW, READ),
    "connections:kick": Page(MODERATE, POST, ("connection_id",)),
    "try_it:index": Page(VIEW, READ),
    "try_it:client": Page(VIEW, READ),
    "try_it:token": Page(USERS, POST),
    "keys:index": Page(VIEW, READ),
    "keys:add": Page(APPLICATION, FORM),
    "keys:roll_back": Page(APPLICATION, FORM),
    "keys:revoke": Page(APPLICATION, FORM, SECRET),
    "keys:rates": Page(APPLICATION, FORM),
    "keys:revoke_tokens": Page(APPLICATION, FORM),
    "webhooks:index": Page(VIEW, READ),
    "webhooks:add": Page(APPLICATION, FORM),
    "webhooks:detail": Page(VIEW, READ, WEBHOOK),
    "webhooks:change": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:remove": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:enable": Page(APPLICATION, POST, WEBHOOK),
    "webhooks:disable": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:rotate": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:retire_secret": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:test": Page(APPLICATION, POST, WEBHOOK),
    "webhooks:replay": Page(APPLICATION, POST, (*WEBHOOK, "delivery_id")),
    "members:index": Page(VIEW, READ),
    "members:add": Page(MEMBERS, FORM),
    "members:second_factor": Page(MEMBERS, FORM),
    "members:change": Page(MEMBERS, FORM, MEMBER),
    "members:remove": Page(MEMBERS, FORM, MEMBER),
    "members:invite": Page(MEMBERS, FORM, MEMBER),
    "audit:index": Page(VIEW, READ),
    "requests:index": Page(VIEW, READ),
    "requests:send": Page(USERS, POST),
    "requests:detail": Page(VIEW, READ, ("request_id",)),
    "audit:line": Page(VIEW, READ, ("line_id",)),
    "audit:undo": Page(MODERATE, POST, ("line_id",)),
    "audit:seals": Page(VIEW, READ),
    "settings:index": Page(VIEW, READ),
    "settings:change": Page(APPLICATION, FORM),
    "settings:plan": Page(APPLICATION, FORM),
    "settings:retention": Page(VIEW, READ),
    "settings:change_retention": Page(APPLICATION, FORM),
    "settings:doors": Page(APPLICATION, FORM),
    "settings:unlock_deletion": Page(LOCKS, FORM),
    "settings:lock_deletion": Page(LOCKS, POST),
    "settings:rename": Page(APPLICATION, FORM),
    # users
    "users:kick_several": Page(MODERATE, FORM),
    "users:register": Page(USERS, FORM),
    "users:load_samples": Page(USERS, POST),
    "users:edit": Page(USERS, FORM, USER),
    "users:delete": Page(USERS, FORM, USER),
    "users:sign_out": Page(USERS, FORM, USER),
    "users:expire_tokens": Page(USERS, FORM, USER),
    "users:kick": Page(MODERATE, POST, USER),
    "users:lease": Page(USERS, FORM, USER),
    "users:pin": Page(USERS, POST, USER),
    "users:unpin": Page(USERS, POST, USER),
    "users:friends": Page(VIEW, READ, USER),
    "users:remove_friend": Page(USERS, FORM, ("user_id", "friend_id")),
    "users:friend_permission": Page(USERS, POST, USER),
    "users:add_friend": Page(USERS, POST, USER),
    "users:answer_friend": Page(USERS, POST, ("user_id", "sender_id")),
    "users:personal_data": Page(VIEW, READ, USER),
    "quota:index": Page(VIEW, READ),
    "quota:add_rule": Page(USERS, FORM),
    "quota:remove_rule": Page(USERS, POST, ("rule_id",)),
    "quota:undo": Page(USERS, POST, ("deleted_id",)),
    "quota:undo_job": Page(USERS, POST, JOB),
    "quota:preview": Page(USERS, POST),
    "quota:job": Page(VIEW, READ, JOB),
    "quota:confirm": Page(USERS, POST, JOB),
    "quota:cancel": Page(USERS, POST, JOB),
    "deactivated:index": Page(VIEW, READ),
    "deactivated:reactivation_call": Page(VIEW, READ, TOMBSTONE),
    # moderation
    "bans:index": Page(VIEW, READ),
    "bans:impose": Page(MODERATE, FORM),
    "bans:change_several": Page(MODERATE, FORM),
    "bans:change": Page(MODERATE, FORM, BAN),
    "bans:preview": Page(MODERATE, READ),
    "bans:lift": Page(MODERATE, POST),
    "bans:undo_lift": Page(MODERATE, POST),
    "lists:index": Page(VIEW, READ),
    "lists:add": Page(MODERATE, FORM),
    "lists:remove": Page(MODERATE, POST),
    "lists:switch": Page(MODERATE, POST),
    "mutes:index": Page(VIEW, READ),
    "mutes:impose": Page(MODERATE, FORM),
    "mutes:lift": Page(MODERATE, POST),
    "mutes:undo_lift": Page(MODERATE, POST),
    "transfers:index": Page(VIEW, READ),
    "transfers:upload": Page(MODERATE, POST),
    "transfers:import_job": Page(VIEW, READ, IMPORT),
    "transfers:confirm": Page(MODERATE, POST, IMPORT),
    "transfers:cancel": Page(MODERATE, POST, IMPORT),
    "transfers:manifest": Page(VIEW, READ, IMPORT),
    "transfers:export": Page(VIEW, FORM, ("source",)),
    "transfers:file": Page(VIEW, READ, ("source",)),
    "transfers:export_job": Page(VIEW, READ, EXPORT),
    "transfers:export_file": Page(VIEW, READ, EXPORT),
    "transfers:cancel_export": Page(VIEW, POST, EXPORT),
    "search:index": Page(VIEW, FORM),
    "why:index": Page(VIEW, FORM),
    "why:json": Page(VIEW, FORM),
    "users:moderation": Page(VIEW, READ, USER),
}
# Pages outside applications: the response to an anonymous GET, and to an account's.
SIGN_IN, HERE = "account_login", "mfa_index"
OTHER_PAGES = {
    "root": (SIGN_IN, 302),
    "overview:index": (SIGN_IN, 200),
    "overview:create": (SIGN_IN, 200),
    "api_docs:index": (SIGN_IN, 200),
    "search_everywhere": (SIGN_IN, 200),
    "shortcuts": (SIGN_IN, 200),
    "set_language": (302, 302),  # also on the sign-in page
    # For staff of the installation alone.
    "health:index": (SIGN_IN, 404),
    "api_docs:document": (SIGN_IN, 200),
    "favicon": (302, 302),
    # Signing in
    "account_login": (200, 302),
    "mfa_authenticate": (302, 302),
    "mfa_login_webauthn": (302, 302),
    "account_inactive": (200, 200),
    "openid_connect_login": (405, 405),
    "openid_connect_callback": (404, 404),
    "accept_invitation": (200, 200),
    "account_logout": (SIGN_IN, 405),
    "account_reauthenticate": (SIGN_IN, 200),
    "mfa_reauthenticate": (SIGN_IN, 302),
    "mfa_reauthenticate_webauthn": (SIGN_IN, 302),
    # One's own account
    "mfa_index": (SIGN_IN, 200),
    "account_change_password": (SIGN_IN, 200),
    "mfa_activate_totp": (SIGN_IN, 200),
    "mfa_deactivate_totp": (SIGN_IN, 404),
    "mfa_add_webauthn": (SIGN_IN, 200),
    "mfa_edit_webauthn": (SIGN_IN, 404),
    "mfa_remove_webauthn": (SIGN_IN, 404),
    "mfa_view_recovery_codes": (SIGN_IN, 404),
    "mfa_generate_recovery_codes": (SIGN_IN, 200),
    "mfa_download_recovery_codes": (SIGN_IN, 404),
    "session_end": (SIGN_IN, 405),
    "sessions_end_others": (SIGN_IN, 405),
    "socialaccount_connections": (SIGN_IN, 302),
    "provider_disconnect": (SIGN_IN, 405),
}
OTHER_PAGE_ARGS = {
    "accept_invitation": ["MQ", "x-y"],
    "api_docs:index": ["agora"],
    "api_docs:document": ["agora"],
    "openid_connect_login": ["id.example.com"],
    "openid_connect_callback": ["id.example.com"],
    "mfa_edit_webauthn": [1],
    "mfa_remove_webauthn": [1],
}
# The only pages that need no sign-in, with Django admin's "login", which leads to the console's.
OPEN = {name for name, (anonymous, _) in OTHER_PAGES.items() if anonymous != SIGN_IN}
# What each staff account may open in Django admin. All else there needs a permission of Django's.
ADMIN_PAGES = {
    "admin:index",
    "admin:password_change",
    "admin:password_change_done",
    "admin:jsi18n",
    "admin:app_list",
    "admin:view_on_site",
}
WAYS_IN_AND_OUT = {"admin:login", "admin:logout"}
ADMIN_ARGS = {
    "admin:app_list": {"app_label": "applications"},
    "admin:view_on_site": {"content_type_id": 1, "object_id": 1},
}


def routes(
    resolver: Any = None, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """(name, URL pattern, page) of each route."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route, pattern.namespace or namespace)
        else:
            yield f"{namespace}:{pattern.name}".lstrip(":"), route, pattern


def in_admin(name: str) -> bool:
    return name.startswith("admin:")


ROUTES = list(routes())
ROUTED = {name: (route, page) for name, route, page in ROUTES if not in_admin(name)}


@dataclass
class World:
    """One of every record that a URL can name, in one environment."""

    environment: Any
    ids: dict[str, Any]

    def url(self, name: str) -> str:
        return address(
            name, self.environment, *(self.ids[arg] for arg in ENVIRONMENT_PAGES[name].args)
        )


def logged(environment: Any) -> str:
    """The id of a call in the request log."""
    request_log.note(request_log.Answered(environment.pk, make_logged_call(request_id="r-1")))
    request_log.write()
    return "r-1"


def world(application: Any, kind: str) -> World:
    environment = make_environment(application=application, kind=kind)
    user = make_user(environment=environment, user_id="mia")
    webhook = make_webhook(environment=environment)
    job_id = rule_id = deleted_id = 0
    if environment.is_development:
        rule_id = lease_rules.add(
            environment=environment, prefix="ci-", lasts=HOUR, by=staff_actor(), now=NOON
        ).pk
        make_user(environment=environment, user_id="deleted")
        deletion.delete(
            environment=environment, user_ids=["deleted"], by=staff_actor(), now=timezone.now()
        )
        deleted_id = DeletedUser.objects.get(environment=environment).pk
        job = deletion.preview(
            environment=environment, candidates=[(user, "test")], by=staff_actor(), now=NOON
        )
        job_id = job.pk
    return World(
        environment,
        {
            "user_id": user.user_id,
            "friend_id": "ben",
            "sender_id": "ben",
            "secret_id": environment.secrets.get().pk,
            "webhook_id": webhook.pk,
            "delivery_id": make_delivery(webhook=webhook).pk,
            "member_id": make_member(application=application, role=Role.VIEWER).pk,
            "job_id": job_id,
            "rule_id": rule_id,
            "deleted_id": deleted_id,
            "ban_id": make_ban(environment=environment, user_id="mallory", expires_at=None).pk,
            "request_id": logged(environment),
            "line_id": AuditEvent.objects.filter(environment=environment).latest("pk").pk,
            "connection_id": make_connection(environment=environment, user_id="mia").pk,
            "import_id": make_import(environment=environment, kind="bans").pk,
            "export_id": make_export(environment=environment).pk,
            "source": "users",
            "tombstone": make_deactivated(environment=environment, user_id="gone").user_id,
        },
    )
