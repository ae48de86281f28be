"""Create an application with its two environments, and change them.

Invariants
----------
* An application is created with both environments, each with its app key and one secret.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext

from applications import app_secrets, audit, locks, retention, vendors
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.lazy_texts import gettext_lazy
from applications.models import Application, Environment, Member, Plan, Role
from applications.vendors import InvalidSetting

MAX_UNLOCK = timedelta(days=7)
# First segments of the site's own paths.
SITE_PATH_WORDS = {
    *("admin", "api", "console", "docs", "favicon", "healthz", "metrics", "readyz", "static")
}
_NAME_MAX_LENGTH = Application._meta.get_field("name").max_length or 0


class InvalidName(Exception):
    """The name is blank, too long, or has control characters."""

    def __init__(self) -> None:
        super().__init__(
            gettext("A name is 1 to {name_max_length} characters on one line.").format(
                name_max_length=_NAME_MAX_LENGTH
            )
        )


class PlanNotAllowed(Exception):
    """Development is always on the trial plan."""


@dataclass(frozen=True)
class NewApplication:
    application: Application
    environments: Mapping[str, Environment]
    secret_texts: Mapping[str, str]


@transaction.atomic
def create_application(
    *, name: str, by: Actor, now: datetime, owner: Any = None, plan: Plan = Plan.TRIAL
) -> NewApplication:
    """An application with both environments. `plan` is production's; `owner` a staff account.

    Raises `InvalidName`.
    """
    _check_name(name)
    application = Application.objects.create(
        name=name,
        org_name=_free_org_name(name),
        created_at=now,
        vendors=[vendor.name for vendor in vendors.vendors()],
    )
    environments, texts = {}, {}
    for kind in Environment.Kind.values:
        environments[kind] = Environment.objects.create(
            application=application,
            kind=kind,
            app_key=secrets.token_hex(16),
            plan=plan if kind == Environment.Kind.PRODUCTION else Plan.TRIAL,
            created_at=now,
        )
        texts[kind] = app_secrets.make(environments[kind], by=by, now=now).text
    if owner is not None:
        Member.objects.create(
            application=application, account=owner, role=Role.OWNER, added_at=now, added_by=by.name
        )
    audit.record(
        AuditType.APPLICATION_CREATED,
        application=application,
        by=by,
        now=now,
        after={"name": name, "plan": plan},
    )
    return NewApplication(application, environments, texts)


@transaction.atomic
def rename(*, application: Application, name: str, by: Actor, now: datetime) -> None:
    """Rename the application. Its `org_name` does not change: URLs and callers use it.

    Raises `InvalidName`.
    """
    _check_name(name)
    locked = locks.application(application)
    if locked.name == name:
        return
    before, locked.name = locked.name, name
    locked.save(update_fields=["name"])
    audit.record(
        AuditType.APPLICATION_RENAMED,
        application=locked,
        by=by,
        now=now,
        before={"name": before},
        after={"name": name},
    )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _NAME_MAX_LENGTH or any(ord(char) < 32 for char in name):
        raise InvalidName


def reserved_org_names() -> set[str]:
    """Names that no application can have in paths, because they mean something else there."""
    return SITE_PATH_WORDS | vendors.path_words()


def _free_org_name(name: str) -> str:
    slug = slugify(name)[:32].strip("-_") or "app"
    taken = slug in reserved_org_names() or Application.objects.filter(org_name=slug).exists()
    # If two create the same name at once, the unique constraint fails for one, who tries again.
    return f"{slug}-{secrets.token_hex(3)}" if taken else slug


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


# Setting → whether a value is valid, and the error if it is not.
MAX_SPAN = timedelta(days=3_653)
SETTINGS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "plan": (lambda value: value in Plan.values, gettext_lazy("Unknown plan.")),
    "token_lifetime": (
        lambda value: value is None or timedelta(minutes=1) <= value <= MAX_SPAN,
        gettext_lazy("Access tokens must be valid for at least a minute and at most ten years."),
    ),
    "reactivation_cooling_off": (
        lambda value: timedelta(0) <= value <= MAX_SPAN,
        gettext_lazy("A cooling-off time cannot be negative or above ten years."),
    ),
    "friends_only": (_is_bool, gettext_lazy("This must be true or false.")),
    "ids_ignore_case": (_is_bool, gettext_lazy("This must be true or false.")),
    **{kind.setting: (kind.is_valid, kind.bounds) for kind in retention.KINDS},
}


@transaction.atomic
def change(
    *,
    environment: Environment,
    by: Actor,
    now: datetime,
    vendor_settings: vendors.Documents | None = None,
    **wanted: Any,
) -> Environment:
    """Change these of `SETTINGS` and these settings of vendors; return the changed environment.
    Other settings stay. If a plan's limit is below the number of users, nobody is deleted, but no
    more users are admitted.

    Raises `PlanNotAllowed`, `InvalidSetting`.
    """
    for name, value in wanted.items():
        is_valid, error = SETTINGS[name]
        if not is_valid(value):
            raise InvalidSetting(name, error)
    if environment.is_development and wanted.get("plan", Plan.TRIAL) != Plan.TRIAL:
        raise PlanNotAllowed
    locked = locks.environment(environment)
    named = vendor_settings or {}
    stored, documents = locked.vendor_settings, vendors.merged(locked.vendor_settings, named)
    before = {name: getattr(locked, name) for name in wanted} | vendors.in_force(stored, named)
    after = wanted | vendors.in_force(documents, named)
    changed = [name for name in after if before[name] != after[name]]
    if changed:
        for name, value in wanted.items():
            setattr(locked, name, value)
        locked.vendor_settings = documents
        locked.save(update_fields=[*wanted, "vendor_settings"])
        audit.record(
            AuditType.ENVIRONMENT_CHANGED,
            environment=locked,
            by=by,
            now=now,
            before={name: _audit_value(before[name]) for name in changed},
            after={name: _audit_value(after[name]) for name in changed},
        )
    return locked


@transaction.atomic
def unlock_deletion(
    *, environment: Environment, lasting: timedelta, by: Actor, now: datetime
) -> Environment:
    """Let the API delete users in production for a while; zero locks again.

    Raises `InvalidSetting`.
    """
    if not timedelta(0) <= lasting <= MAX_UNLOCK:
        raise InvalidSetting(
            "lasting", gettext("At most {days} days.").format(days=MAX_UNLOCK.days)
        )
    locked = locks.environment(environment)
    before, after = locked.deletion_unlocked_until, now + lasting if lasting else None
    Environment.objects.filter(pk=locked.pk).update(deletion_unlocked_until=after)
    locked.deletion_unlocked_until = after
    audit.record(
        AuditType.ENVIRONMENT_DELETION_UNLOCKED
        if lasting
        else AuditType.ENVIRONMENT_DELETION_LOCKED,
        environment=locked,
        by=by,
        now=now,
        before={"until": _audit_value(before)},
        after={"until": _audit_value(after)},
    )
    return locked


@transaction.atomic
def enable_vendors(
    *, application: Application, names: Iterable[str], by: Actor, now: datetime
) -> None:
    """Accept calls of these vendors only; calls of the others get their vendor's refusal."""
    chosen = set(names)
    wanted = [vendor.name for vendor in vendors.vendors() if vendor.name in chosen]
    locked = locks.application(application)
    if locked.vendors != wanted:
        Application.objects.filter(pk=application.pk).update(vendors=wanted)
        audit.record(
            AuditType.APPLICATION_DOORS_CHANGED,
            application=application,
            by=by,
            now=now,
            before={"doors": locked.vendors},
            after={"doors": wanted},
        )
    application.vendors = wanted


def _audit_value(value: Any) -> str | None:
    return None if value is None else str(value)
