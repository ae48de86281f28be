"""Create an application with its two environments; change them; rotate their secrets.

Invariants
----------
* An application is born whole: both environments, each with its app key and one secret.
* An environment has one or two live secrets: two while callers move from one to the next, never
  none.
* A secret's text leaves this module twice: from the verb that makes it, to be shown once, and to
  whoever must check a signature.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from applications import audit, vault
from applications.audit import Actor
from applications.models import Application, AppSecret, Environment, Member, Plan, Role

MAX_LIVE_SECRETS = 2
# Addresses that mean something else at the root of the site.
RESERVED_ORG_NAMES = {
    *("admin", "api", "console", "docs", "favicon", "healthz", "readyz", "static"),
    *("friend", "user", "v4"),  # where RongCloud's and Nexconn's calls begin
}
# "Last used" is for people who decide whether a secret can go; a write per call would cost more.
LAST_USED_PRECISION = timedelta(minutes=1)


class TooManySecrets(Exception):
    """Two secrets are live already; one must be revoked first."""


class LastSecret(Exception):
    """The only live secret cannot be revoked: no call would be accepted any more."""


class SecretGone(Exception):
    """No such live secret: somebody else has revoked it meanwhile."""


class PlanNotAllowed(Exception):
    """Development is always on the trial plan."""


class InvalidSetting(Exception):
    """A setting out of its bounds; the text names it."""


@dataclass(frozen=True)
class NewSecret:
    """A secret just made: the one moment when its text is known."""

    secret: AppSecret
    text: str


@dataclass(frozen=True)
class NewApplication:
    application: Application
    environments: Mapping[str, Environment]
    secret_texts: Mapping[str, str]


@transaction.atomic
def create_application(
    *, name: str, by: Actor, now: datetime, owner: Any = None, plan: Plan = Plan.TRIAL
) -> NewApplication:
    """An application with both environments. `plan` is production's; `owner` a staff account."""
    application = Application.objects.create(
        name=name, org_name=_free_org_name(name), created_at=now
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
        texts[kind] = _make_secret(environments[kind], by=by, now=now).text
    if owner is not None:
        Member.objects.create(
            application=application, account=owner, role=Role.OWNER, added_at=now, added_by=by.name
        )
    audit.record(
        "application.created",
        application=application,
        by=by,
        now=now,
        after={"name": name, "plan": plan},
    )
    return NewApplication(application, environments, texts)


@transaction.atomic
def rename(*, application: Application, name: str, by: Actor, now: datetime) -> None:
    """Give the application another name. Its `org_name` stays: addresses and callers hold it."""
    locked = Application.objects.select_for_update(no_key=True).get(pk=application.pk)
    if locked.name == name:
        return
    before, locked.name = locked.name, name
    locked.save(update_fields=["name"])
    audit.record(
        "application.renamed",
        application=locked,
        by=by,
        now=now,
        before={"name": before},
        after={"name": name},
    )


def _free_org_name(name: str) -> str:
    wish = slugify(name)[:32].strip("-_") or "app"
    taken = wish in RESERVED_ORG_NAMES or Application.objects.filter(org_name=wish).exists()
    # Two creators of the same name at once meet at the unique constraint, and one tries again.
    return f"{wish}-{secrets.token_hex(3)}" if taken else wish


def _make_secret(environment: Environment, *, by: Actor, now: datetime) -> NewSecret:
    text = secrets.token_hex(16)  # 32 hex digits: Agora's builders take no other certificate
    secret = AppSecret.objects.create(
        environment=environment,
        ciphertext=vault.encrypt(text),
        hint=text[-4:],
        created_at=now,
        created_by=by.name,
    )
    return NewSecret(secret, text)


def _lock(environment: Environment) -> Environment:
    return Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)


@transaction.atomic
def add_secret(*, environment: Environment, by: Actor, now: datetime) -> NewSecret:
    """A second live secret, to move callers to. Raises `TooManySecrets`."""
    _lock(environment)
    if environment.secrets.live().count() >= MAX_LIVE_SECRETS:
        raise TooManySecrets
    new = _make_secret(environment, by=by, now=now)
    audit.record(
        "secret.added", environment=environment, by=by, now=now, after={"hint": new.secret.hint}
    )
    return new


@transaction.atomic
def revoke_secret(*, environment: Environment, secret_id: int, by: Actor, now: datetime) -> None:
    """Calls signed with it are refused from now on. Raises `SecretGone`, `LastSecret`."""
    _lock(environment)
    live = list(environment.secrets.live())
    secret = next((secret for secret in live if secret.pk == secret_id), None)
    if secret is None:
        raise SecretGone
    if len(live) == 1:
        raise LastSecret
    AppSecret.objects.filter(pk=secret_id).update(revoked_at=now)
    audit.record(
        "secret.revoked", environment=environment, by=by, now=now, before={"hint": secret.hint}
    )


def secret_text(secret: AppSecret) -> str:
    """For whoever must compute with it: signatures, app tokens."""
    return vault.decrypt(secret.ciphertext)


def secret_used(secret: AppSecret, *, now: datetime) -> None:
    """Note the use, to the minute; not an audit matter, for it changes nothing."""
    stale = now - LAST_USED_PRECISION
    if secret.last_used_at is None or secret.last_used_at <= stale:
        AppSecret.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=stale), pk=secret.pk
        ).update(last_used_at=now)


@transaction.atomic
def change(
    *,
    environment: Environment,
    by: Actor,
    now: datetime,
    plan: Plan,
    token_lifetime: timedelta | None,
    reactivation_cooling_off: timedelta,
) -> Environment:
    """Set the plan and the settings. A plan with a limit below today's users deletes nobody; it
    only admits no further ones. Raises `PlanNotAllowed`, `InvalidSetting`.
    """
    if environment.is_development and plan != Plan.TRIAL:
        raise PlanNotAllowed
    if token_lifetime is not None and token_lifetime < timedelta(minutes=1):
        raise InvalidSetting("Access tokens must live for a minute at least.")
    if reactivation_cooling_off < timedelta(0):
        raise InvalidSetting("A cooling-off time cannot be negative.")
    locked = _lock(environment)
    wanted = {
        "plan": plan,
        "token_lifetime": token_lifetime,
        "reactivation_cooling_off": reactivation_cooling_off,
    }
    before = {name: getattr(locked, name) for name in wanted}
    changed = [name for name in wanted if before[name] != wanted[name]]
    if changed:
        for name in changed:
            setattr(locked, name, wanted[name])
        locked.save(update_fields=changed)
        audit.record(
            "environment.changed",
            environment=locked,
            by=by,
            now=now,
            before={name: _said(before[name]) for name in changed},
            after={name: _said(wanted[name]) for name in changed},
        )
    return locked


def _said(value: Any) -> str | None:
    return None if value is None else str(value)
