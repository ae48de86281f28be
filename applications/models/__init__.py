"""Applications, their environments, keys and members, and the audit trail.

Invariants
----------
* An application has exactly one development and one production environment.
* Two environments share nothing: all data of users belongs to one of them.
* Audit rows and their seals are written once and never changed: the database refuses it. Audit rows
  name subjects and actors by text, so that they stay when these are deleted.
"""

from applications.models.applications import (
    FREE_USER_LIMIT,
    USER_LIMITS,
    Application,
    AppSecret,
    AppSecretQuerySet,
    Environment,
    Plan,
)
from applications.models.audit import AuditEvent, AuditEventQuerySet
from applications.models.cuts import AuditCut
from applications.models.jobs import BatchJob, BatchJobQuerySet
from applications.models.members import Member, Role
from applications.models.seals import AuditSeal
from applications.models.sessions import StaffSession, StaffSessionQuerySet
from applications.models.webhooks import Delivery, DeliveryQuerySet, Webhook, WebhookQuerySet

__all__ = [
    "FREE_USER_LIMIT",
    "USER_LIMITS",
    "AppSecret",
    "AppSecretQuerySet",
    "Application",
    "AuditCut",
    "AuditEvent",
    "AuditEventQuerySet",
    "AuditSeal",
    "BatchJob",
    "BatchJobQuerySet",
    "Delivery",
    "DeliveryQuerySet",
    "Environment",
    "Member",
    "Plan",
    "Role",
    "StaffSession",
    "StaffSessionQuerySet",
    "Webhook",
    "WebhookQuerySet",
]
