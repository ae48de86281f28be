"""Where users may be deleted.

Invariant: only in development; in production only by an API call, while an owner has unlocked
deletion for that environment.
"""

from datetime import datetime

from django.utils.translation import gettext

from applications.audit import Actor
from applications.models import AuditEvent, Environment


class NotInProduction(Exception):
    """Production users are deactivated by API, never deleted."""

    def __init__(self) -> None:
        super().__init__(
            gettext("Users can be deleted in development only; in production, deactivate them")
        )


def require_allowed(environment: Environment, by: Actor, now: datetime) -> None:
    """Raises `NotInProduction`."""
    if not (by.kind == AuditEvent.ActorKind.APP_KEY and _is_unlocked(environment, now)):
        require_development(environment)


def require_development(environment: Environment) -> None:
    """Raises `NotInProduction`."""
    if not environment.is_development:
        raise NotInProduction


def _is_unlocked(environment: Environment, now: datetime) -> bool:
    until = environment.deletion_unlocked_until
    return until is not None and until > now
