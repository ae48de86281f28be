"""App secrets, with which app servers sign their calls.

Invariants
----------
* An environment has one or two live secrets: two while callers change to the new one, never none.
* This module returns a secret's text only from the verb that creates it, which shows it once, and
  to code that checks signatures.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

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
    """The only live secret cannot be revoked: every call would be refused."""


class SecretGone(Exception):
    """No such live secret: somebody else has revoked it in the meantime."""


@dataclass(frozen=True)
class NewSecret:
    """A new secret with its text, which is not shown again."""

    secret: AppSecret
    text: str


def make(environment: Environment, *, by: Actor, now: datetime) -> NewSecret:
    """Create a secret without an audit line: for `add` and the creation of an application."""
    plain = secrets.token_hex(16)  # 32 hex digits: some vendors' libraries accept nothing else
    secret = AppSecret.objects.create(
        environment=environment,
        ciphertext=vault.encrypt(plain),
        hint=plain[-4:],
        created_at=now,
        created_by=by.name,
    )
    return NewSecret(secret, plain)


@transaction.atomic
def add(*, environment: Environment, by: Actor, now: datetime) -> NewSecret:
    """A second live secret, to move callers to. Raises `TooManySecrets`."""
    locks.environment(environment)
    if environment.secrets.live().count() >= MAX_LIVE_SECRETS:
        raise TooManySecrets
    new = make(environment, by=by, now=now)
    audit.record(
        AuditType.SECRET_ADDED,
        environment=environment,
        by=by,
        now=now,
        after={"hint": new.secret.hint},
    )
    return new


@transaction.atomic
def revoke(*, environment: Environment, secret_id: int, by: Actor, now: datetime) -> None:
    """Refuse calls signed with this secret from now on; other processes follow within
    `callers.MAX_AGE`. Raises `SecretGone`, `LastSecret`.
    """
    locks.environment(environment)
    live = list(environment.secrets.live())
    secret = next((secret for secret in live if secret.pk == secret_id), None)
    if secret is None:
        raise SecretGone
    if len(live) == 1:
        raise LastSecret
    AppSecret.objects.filter(pk=secret_id).update(revoked_at=now)
    audit.record(
        AuditType.SECRET_REVOKED,
        environment=environment,
        by=by,
        now=now,
        before={"hint": secret.hint},
    )


def text(secret: AppSecret) -> str:
    """The secret's text, to compute signatures and app tokens."""
    return vault.decrypt(secret.ciphertext)


def note_use(secret: AppSecret, *, now: datetime) -> None:
    """Store the time of use, to the minute. It writes no audit line, because it changes nothing."""
    stale = now - LAST_USED_PRECISION
    if secret.last_used_at is None or secret.last_used_at <= stale:
        AppSecret.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=stale), pk=secret.pk
        ).update(last_used_at=now)
        # The row may be cached; without this the next call would write again.
        secret.last_used_at = now
