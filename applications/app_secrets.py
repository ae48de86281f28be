"""App secrets, with which app servers sign their calls.

Invariants
----------
* An environment has one or two secrets that are accepted: two while callers change to the new one.
  One of them has no end, so that there is never none.
* The clock alone ends a secret: it is accepted while `ends_at > now`.
* This module returns a secret's text only from the verb that creates it, which shows it once, and
  to code that checks or makes signatures.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext

from applications import audit, locks, vault
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import AppSecret, Environment

MAX_LIVE_SECRETS = 2
# Staff read "last used" before they revoke a secret; one write per call would be too expensive.
LAST_USED_PRECISION = timedelta(minutes=1)


class TooManySecrets(Exception):
    """Two secrets are live; one must be revoked first."""


class LastSecret(Exception):
    """The only secret without an end cannot be revoked: every call would be refused then."""


class InvalidEnd(ValueError):
    """A secret must end in the future."""


class NothingToRollBack(Exception):
    """No secret is about to end, with a newer one beside it."""


class SecretGone(Exception):
    """No such live secret: somebody else has revoked it in the meantime."""


class NotInProduction(Exception):
    """Staff send calls in development only."""

    def __init__(self) -> None:
        super().__init__(gettext("In production, only your app server sends calls"))


@dataclass(frozen=True)
class NewSecret:
    """A new secret with its text, which is not shown again."""

    secret: AppSecret
    text: str


def make(environment: Environment, *, name: str = "", by: Actor, now: datetime) -> NewSecret:
    """Create a secret without an audit line: for `add` and the creation of an application."""
    plain = secrets.token_hex(16)  # 32 hex digits: some vendors' libraries accept nothing else
    secret = AppSecret.objects.create(
        environment=environment,
        ciphertext=vault.encrypt(plain),
        hint=plain[-4:],
        name=name,
        created_at=now,
        created_by=by.name,
    )
    return NewSecret(secret, plain)


@transaction.atomic
def add(
    *,
    environment: Environment,
    name: str = "",
    others_end_at: datetime | None = None,
    by: Actor,
    now: datetime,
) -> NewSecret:
    """A second secret, to move callers to. With `others_end_at`, the first one ends by itself.
    Raises `TooManySecrets`, `InvalidEnd`.
    """
    locks.environment(environment)
    if others_end_at is not None and others_end_at <= now:
        raise InvalidEnd
    accepted = list(environment.secrets.accepted(now))
    if len(accepted) >= MAX_LIVE_SECRETS:
        raise TooManySecrets
    new = make(environment, name=name, by=by, now=now)
    audit.record(
        AuditType.SECRET_ADDED, environment=environment, by=by, now=now, after=_facts(new.secret)
    )
    if others_end_at is not None:
        for secret in accepted:
            _set_end(secret, others_end_at, by=by, now=now)
    return new


@transaction.atomic
def roll_back(*, environment: Environment, by: Actor, now: datetime) -> AppSecret:
    """Keep the secret that is about to end, and revoke the newer one; return the one that stays.
    Raises `NothingToRollBack`.
    """
    locks.environment(environment)
    old, new = to_roll_back(environment, now=now) or (None, None)
    if old is None or new is None:
        raise NothingToRollBack
    _set_end(old, None, by=by, now=now)
    _revoke(new, by=by, now=now)
    return old


def to_roll_back(environment: Environment, *, now: datetime) -> tuple[AppSecret, AppSecret] | None:
    """The secret that is about to end, and the newer one; None if there are no such two."""
    accepted = list(environment.secrets.accepted(now).order_by("pk"))
    if len(accepted) != MAX_LIVE_SECRETS or accepted[0].ends_at is None:
        return None
    return accepted[0], accepted[1]


@transaction.atomic
def revoke(*, environment: Environment, secret_id: int, by: Actor, now: datetime) -> None:
    """Refuse calls signed with this secret from now on; other processes follow within
    `callers.MAX_AGE`. Raises `SecretGone`, `LastSecret`.
    """
    locks.environment(environment)
    accepted = list(environment.secrets.accepted(now))
    secret = next((secret for secret in accepted if secret.pk == secret_id), None)
    if secret is None:
        raise SecretGone
    if not is_revocable(secret, accepted):
        raise LastSecret
    _revoke(secret, by=by, now=now)


def is_revocable(secret: AppSecret, accepted: Iterable[AppSecret]) -> bool:
    """Whether another of the accepted secrets has no end."""
    return any(other.pk != secret.pk and other.ends_at is None for other in accepted)


@transaction.atomic
def for_staff(*, environment: Environment, call: str, by: Actor, now: datetime) -> AppSecret:
    """The newest secret, for this call, which staff send from the console. In development only: in
    production, calls are the app servers'. Raises `NotInProduction`.
    """
    if not environment.is_development:
        raise NotInProduction
    audit.record(
        AuditType.API_CALL_SENT, environment=environment, by=by, now=now, after={"call": call}
    )
    secret = environment.secrets.accepted(now).latest("pk")
    secret.environment = environment
    return secret


def _revoke(secret: AppSecret, *, by: Actor, now: datetime) -> None:
    AppSecret.objects.filter(pk=secret.pk).update(revoked_at=now)
    audit.record(
        AuditType.SECRET_REVOKED,
        environment=secret.environment,
        by=by,
        now=now,
        before=_facts(secret),
    )


def _set_end(secret: AppSecret, ends_at: datetime | None, *, by: Actor, now: datetime) -> None:
    AppSecret.objects.filter(pk=secret.pk).update(ends_at=ends_at)
    audit.record(
        AuditType.SECRET_END_CHANGED,
        environment=secret.environment,
        by=by,
        now=now,
        before={**_facts(secret), "ends_at": _written(secret.ends_at)},
        after={**_facts(secret), "ends_at": _written(ends_at)},
    )


def _facts(secret: AppSecret) -> dict[str, str]:
    return {"hint": secret.hint, **({"name": secret.name} if secret.name else {})}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def text(secret: AppSecret) -> str:
    """The secret's text, to compute signatures and app tokens."""
    return vault.decrypt(secret.ciphertext)


def note_use(secret: AppSecret, *, via: str, address: str | None, now: datetime) -> None:
    """Store when, by which call and from where the secret was used, to the minute. It writes no
    audit line, because it changes nothing.
    """
    stale = now - LAST_USED_PRECISION
    if secret.last_used_at is None or secret.last_used_at <= stale:
        AppSecret.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=stale), pk=secret.pk
        ).update(last_used_at=now, last_used_via=via[:80], last_used_address=address)
        # The row may be cached; without this the next call would write again.
        secret.last_used_at = now
