"""Test data: plain functions, keyword-only, valid as they come. A test states what it is about, and
leaves the rest to them.

They write rows, so a test may start from what a verb would refuse.
"""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from applications import app_secrets, environments, webhooks
from applications.announcements import EVENTS
from applications.audit import Actor
from applications.environments import NewApplication
from applications.models import (
    Application,
    AuditEvent,
    Delivery,
    Environment,
    Member,
    Plan,
    Role,
    Webhook,
)
from applications.request_log import LoggedCall
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry
from transfers import exports, imports
from transfers.files import Format
from transfers.kinds import KINDS
from transfers.models import ExportJob, ImportJob
from users import tokens
from users.models import AppUser, Connection, DeactivatedUser, GatewayProcess, Message

# When tests take place, unless they say otherwise: a Monday.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

_numbers = count(1)


# --- Who acts ----------------------------------------------------------------------------------


def staff_actor(name: str = "grace") -> Actor:
    return Actor(kind=AuditEvent.ActorKind.STAFF, name=name, via="console", address="192.0.2.7")


def api_actor(via: str = "nexconn user/call") -> Actor:
    return Actor(kind=AuditEvent.ActorKind.APP_KEY, name="app key 5ca1ab1e", via=via)


# --- Applications ------------------------------------------------------------------------------


def make_account(*, username: str = "", password: str | None = None, **fields: Any) -> Any:
    """A staff account; without a password it cannot sign in by form (`client.force_login` can)."""
    username = username or f"staff-{next(_numbers)}"
    return get_user_model().objects.create_user(username, password=password, **fields)


def make_new_application(
    *, name: str = "Chirp", plan: Plan = Plan.TRIAL, owner: Any = None
) -> NewApplication:
    """As the verb answers: with both environments and the texts of their secrets."""
    return environments.create_application(
        name=name, plan=plan, owner=owner, by=staff_actor(), now=NOON
    )


def make_application(**fields: Any) -> Application:
    return make_new_application(**fields).application


def make_environment(
    *, kind: str = "development", plan: Plan = Plan.TRIAL, application: Any = None, **settings: Any
) -> Environment:
    """An environment of `application`, or of a new one; `plan` is for a new one's production."""
    application = application or make_application(plan=plan)
    environment = Environment.objects.select_related("application").get(
        application=application, kind=kind
    )
    for name, value in settings.items():
        setattr(environment, name, value)
    environment.save()
    return environment


def secret_of(environment: Environment) -> str:
    """The text of the environment's oldest live secret."""
    secret = environment.secrets.live().order_by("pk").first()
    assert secret is not None
    return app_secrets.text(secret)


def make_member(
    *, application: Application, role: Role = Role.OWNER, account: Any = None
) -> Member:
    """A member; `member.account` is the account to sign in with."""
    return Member.objects.create(
        application=application,
        account=account or make_account(),
        role=role,
        added_at=NOON,
        added_by="grace",
    )


def make_logged_call(**fields: Any) -> LoggedCall:
    """A call for the request log, which succeeded at `NOON`."""
    fields = {
        "at": NOON.timestamp(),
        "vendor": "vendor",
        "name": "user/ban",
        "method": "POST",
        "path": "/user/ban",
        "status": 200,
        "code": "",
        "milliseconds": 1.2,
        "request_id": f"request-{next(_numbers)}",
        "secret_hint": "ab12",
        "address": "192.0.2.7",
        **fields,
    }
    return LoggedCall(**fields)


# --- Webhooks ----------------------------------------------------------------------------------


def make_webhook(
    *, environment: Environment, url: str = "https://hooks.example.com/in", **fields: Any
) -> Webhook:
    """An endpoint that listens for everything, unless `events` names less."""
    fields = {"events": list(EVENTS), "format": "standard", **fields}
    return webhooks.add(
        environment=environment, url=url, by=staff_actor(), now=NOON, **fields
    ).webhook


def make_delivery(*, webhook: Webhook, event: str = "user.deleted", **fields: Any) -> Delivery:
    """One that is due at `NOON`."""
    fields = {
        "data": {"user_id": "mia"},
        "message_id": f"msg_{next(_numbers)}",
        "occurred_at": NOON,
        "queued_at": NOON,
        "next_attempt_at": NOON,
        **fields,
    }
    return Delivery.objects.create(webhook=webhook, event=event, **fields)


# --- Users -------------------------------------------------------------------------------------


def make_user(*, environment: Environment, user_id: str = "", **fields: Any) -> AppUser:
    """A registered user."""
    fields = {"registered_at": NOON - DAY, **fields}
    return AppUser.objects.create(
        environment=environment, user_id=user_id or f"user-{next(_numbers)}", **fields
    )


def make_users(*, environment: Environment, count: int, prefix: str = "user-") -> list[AppUser]:
    """`count` registered users in one statement; their ids sort in order."""
    return AppUser.objects.bulk_create(
        AppUser(
            environment=environment,
            user_id=f"{prefix}{number:05}",
            registered_at=NOON - DAY + timedelta(seconds=number),
        )
        for number in range(1, count + 1)
    )


def make_token(user: AppUser, *, now: datetime = NOON) -> str:
    return tokens.issue(user, now=now)


def make_deactivated(
    *, environment: Environment, user_id: str = "", **fields: Any
) -> DeactivatedUser:
    """A tombstone whose erasure is done."""
    fields = {"deactivated_at": NOON - DAY, "erased_at": NOON - DAY, **fields}
    return DeactivatedUser.objects.create(
        environment=environment,
        user_id=user_id or f"user-{next(_numbers)}",
        deactivated_by="app key 5ca1ab1e",
        via="nexconn user/deactivate",
        operation_id="AAAA-BBBB-CCCC-DDDD",
        was_registered=True,
        **fields,
    )


def make_gateway(*, lease_until: datetime = NOON + MINUTE) -> GatewayProcess:
    """A gateway process, alive at `NOON`."""
    return GatewayProcess.objects.create(
        name=f"gateway-{next(_numbers)}", started_at=NOON - HOUR, lease_until=lease_until
    )


def make_connection(
    *,
    environment: Environment,
    user_id: str,
    gateway: GatewayProcess | None = None,
    **fields: Any,
) -> Connection:
    """An open connection."""
    fields = {"connected_at": NOON - MINUTE, **fields}
    return Connection.objects.create(
        environment=environment, user_id=user_id, gateway=gateway or make_gateway(), **fields
    )


def make_message(
    *, environment: Environment, sender_id: str, recipient_id: str, **fields: Any
) -> Message:
    """A message that waits for its recipient."""
    fields = {"client_id": f"message-{next(_numbers)}", "body": "Hi", "sent_at": NOON, **fields}
    return Message.objects.create(
        environment=environment, sender_id=sender_id, recipient_id=recipient_id, **fields
    )


# --- Moderation --------------------------------------------------------------------------------


def make_ban(*, environment: Environment, user_id: str = "mallory", **fields: Any) -> Ban:
    """An open ban, in force at `NOON` for another day."""
    fields = {"imposed_at": NOON - HOUR, "expires_at": NOON + DAY, "reason": "spam", **fields}
    fields.setdefault("banned_since", fields["imposed_at"])
    return Ban.objects.create(
        environment=environment,
        user_id=user_id,
        imposed_by="grace",
        imposed_via="console",
        **fields,
    )


def make_entry(
    model: type[BlocklistEntry] | type[AllowlistEntry],
    *,
    environment: Environment,
    owner_id: str,
    listed_id: str,
) -> Any:
    """`listed_id`'s place in `owner_id`'s blocklist or allowlist."""
    return model.objects.create(
        environment=environment,
        owner_id=owner_id,
        listed_id=listed_id,
        added_at=NOON,
        added_by="grace",
    )


def make_switch(*, environment: Environment, owner_id: str) -> AllowlistSwitch:
    """The owner's allowlist, in force."""
    return AllowlistSwitch.objects.create(
        environment=environment, owner_id=owner_id, switched_on_at=NOON
    )


# --- Transfers ---------------------------------------------------------------------------------


def make_import(
    *,
    environment: Environment,
    kind: str = "users",
    content: str | bytes = "user_id,expires_at\nmia,permanent\n",
    name: str = "file.csv",
    by: Actor | None = None,
) -> ImportJob:
    """An import that is checked, unless the file is refused."""
    job = imports.upload(
        environment=environment,
        kind=KINDS[kind],
        file=BytesIO(content.encode() if isinstance(content, str) else content),
        name=name,
        by=by or staff_actor(),
        now=NOON,
    )
    run_import(job)
    return job


def run_import(job: ImportJob) -> dict[str, int]:
    """Do all batches of an import; result → number of lines."""
    while imports.run_batch(job_id=job.pk, now=NOON):
        pass
    job.refresh_from_db()
    return imports.progress(job)


def make_export(*, environment: Environment) -> ExportJob:
    """An export of the users, whose file is written."""
    job = exports.start(
        environment=environment,
        kind="users",
        format=Format.CSV,
        query="",
        expected=1,
        by=staff_actor(),
        now=timezone.now(),
    )
    while exports.run_batch(job_id=job.pk, now=NOON):
        pass
    job.refresh_from_db()
    return job
