"""App secrets: what app servers sign their calls with.

Invariants
----------
* An environment has one or two live secrets: two while callers move from one to the next, never
  none.
* A secret's text leaves this module twice: from the verb that makes it, to be shown once, and to
  whoever must check a signature.
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


# "Last used" is for people who decide whether a secret can go; a write per call would cost more.
LAST_USED_PRECISION = timedelta(minutes=1)


class TooManySecrets(Exception):
    """Two secrets are live already; one must be revoked first."""


class LastSecret(Exception):
    """The only live secret cannot be revoked: no call would be accepted any more."""


class SecretGone(Exception):
    """No such live secret: somebody else has revoked it meanwhile."""


@dataclass(frozen=True)
class NewSecret:
    """A secret just made: the one moment when its text is known."""

    secret: AppSecret
    text: str


def make(environment: Environment, *, by: Actor, now: datetime) -> NewSecret:
    """For the verbs that record it: `add`, and the creation of an application."""
    plain = secrets.token_hex(16)  # 32 hex digits: some vendors' libraries take no other secret
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
    """Calls signed with it are refused from now on, by other processes within
    `callers.REMEMBERED_FOR`. Raises `SecretGone`, `LastSecret`."""
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
    """For whoever must compute with it: signatures, app tokens."""
    return vault.decrypt(secret.ciphertext)


def note_use(secret: AppSecret, *, now: datetime) -> None:
    """Note the use, to the minute; not an audit matter, for it changes nothing."""
    stale = now - LAST_USED_PRECISION
    if secret.last_used_at is None or secret.last_used_at <= stale:
        AppSecret.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lte=stale), pk=secret.pk
        ).update(last_used_at=now)
        # The row may be remembered, and the next call is not to ask again.
        secret.last_used_at = now
