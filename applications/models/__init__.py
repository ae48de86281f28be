"""Applications, their environments, keys and members, and the audit trail.

Invariants
----------
* An application has exactly one development and one production environment.
* Nothing is shared between two environments: whatever belongs to users hangs off one of them.
* Audit rows are written once and never changed. They name subjects and actors by text, so that the
  trail outlives what it describes.
"""

from applications.models.applications import (
    FREE_USER_LIMIT,
    Application,
    AppSecret,
    AppSecretQuerySet,
    Environment,
    Plan,
)
from applications.models.audit import AuditEvent, AuditEventQuerySet
from applications.models.members import Member, Role
from applications.models.webhooks import Delivery, DeliveryQuerySet, Webhook, WebhookQuerySet

__all__ = [
    "FREE_USER_LIMIT",
    "AppSecret",
    "AppSecretQuerySet",
    "Application",
    "AuditEvent",
    "AuditEventQuerySet",
    "Delivery",
    "DeliveryQuerySet",
    "Environment",
    "Member",
    "Plan",
    "Role",
    "Webhook",
    "WebhookQuerySet",
]
