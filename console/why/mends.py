"""What a member can press where a rule refuses: the mends of `applications.evidence` as buttons.

Each names the page that does it and the permission of that page, so a button that the role does not
allow is shown disabled, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from applications.access import Permission
from applications.evidence import Step
from applications.models import Environment
from console.links import page_url
from console.templatetags.words import said


@dataclass(frozen=True)
class Mend:
    """A button. It posts `fields` to `url`, or opens `url` as a dialog or as a page."""

    label: str
    url: str
    permission: Permission = Permission.VIEW
    icon: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    posts: bool = False
    is_dialog: bool = False
    # The button sends what was asked as well, such as an access token.
    passes_question: bool = False


def mend_of(environment: Environment, step: Step) -> Mend | None:
    """The button for what would change this refusal, or None if it is not in the console."""
    if not step.mend:
        return None
    make = _MENDS[step.mend]
    return make(environment, step.about)


def _lift_ban(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Lift the ban"),
        page_url(environment, "bans:lift"),
        Permission.MODERATE,
        "undo-2",
        {"user": about["user_id"]},
        posts=True,
    )


def _lift_mute(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Lift the mute"),
        page_url(environment, "mutes:lift", query={"channel": about["channel"]}),
        Permission.MODERATE,
        "volume-2",
        {"user": about["user_id"]},
        posts=True,
    )


def _kick(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Close all connections"),
        page_url(environment, "users:kick", about["user_id"]),
        Permission.MODERATE,
        "unplug",
        posts=True,
    )


def _unblock(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Remove from the blocklist"),
        page_url(
            environment, "lists:remove", query={"list": "blocklist", "owner": about["owner_id"]}
        ),
        Permission.MODERATE,
        "list-x",
        {"listed": about["listed_id"]},
        posts=True,
    )


def _allow(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Add to {owner_id}'s allowlist").format(owner_id=about["owner_id"]),
        page_url(environment, "lists:add", query={"list": "allowlist", "owner": about["owner_id"]}),
        Permission.MODERATE,
        "list-checks",
        {"user_ids": about["listed_id"]},
        posts=True,
    )


def _befriend(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Make them friends"),
        page_url(environment, "users:add_friend", about["user_id"]),
        Permission.MANAGE_USERS,
        "handshake",
        {"friend_id": about["friend_id"]},
        posts=True,
    )


def _register(environment: Environment, about: dict[str, Any]) -> Mend | None:
    if not environment.is_development:
        return None
    return Mend(
        gettext("Register a test user"),
        page_url(environment, "users:register", query={"user_id": about["user_id"]}),
        Permission.MANAGE_USERS,
        "user-plus",
        is_dialog=True,
    )


def _new_token(environment: Environment, about: dict[str, Any]) -> Mend | None:
    if not environment.is_development:
        return None
    query = {"a": about.get("user_id", "")}
    return Mend(
        gettext("Try it with a new token"), page_url(environment, "try_it:index", query=query)
    )


def _ask_there(environment: Environment, about: dict[str, Any]) -> Mend:
    there = Environment.objects.select_related("application").get(
        application__org_name=about["org_name"], kind=about["kind"]
    )
    return Mend(
        gettext("Ask in {kind}").format(kind=said(about["kind"]))
        if there.application_id == environment.application_id
        else gettext("Ask in {full_name}").format(full_name=there.full_name),
        page_url(there, "why:index"),
        icon="arrow-right",
        posts=True,
        passes_question=True,
    )


def _reactivate(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Call to reactivate"),
        page_url(environment, "deactivated:reactivation_call", about["user_id"]),
        icon="square-code",
        is_dialog=True,
    )


def _free_places(environment: Environment, about: dict[str, Any]) -> Mend:
    if environment.is_development:
        return Mend(gettext("Free places"), page_url(environment, "quota:index"), icon="ticket")
    return Mend(gettext("Change the plan"), page_url(environment, "settings:index"))


def _add_secret(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(gettext("Add a secret"), page_url(environment, "keys:index"), icon="key-round")


def _change_application(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(gettext("Choose vendors"), page_url(environment, "settings:index"), icon="settings")


def _see_limits(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(gettext("See the limits"), f"{page_url(environment, 'keys:index')}#rate-limits")


def _enable_webhook(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Enable the endpoint"),
        page_url(environment, "webhooks:enable", about["webhook_id"]),
        Permission.MANAGE_APPLICATION,
        posts=True,
    )


def _replay(environment: Environment, about: dict[str, Any]) -> Mend:
    return Mend(
        gettext("Send it again"),
        page_url(environment, "webhooks:replay", about["webhook_id"], about["delivery_id"]),
        Permission.MANAGE_APPLICATION,
        "rotate-cw",
        posts=True,
    )


_MENDS: dict[str, Callable[[Environment, dict[str, Any]], Mend | None]] = {
    "lift_ban": _lift_ban,
    "lift_mute": _lift_mute,
    "kick": _kick,
    "unblock": _unblock,
    "allow": _allow,
    "befriend": _befriend,
    "register": _register,
    "new_token": _new_token,
    "ask_there": _ask_there,
    "reactivate": _reactivate,
    "free_places": _free_places,
    "add_secret": _add_secret,
    "change_application": _change_application,
    "see_limits": _see_limits,
    "enable_webhook": _enable_webhook,
    "replay": _replay,
}
