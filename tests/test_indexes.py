"""Each index of the tables that grow answers a question; what no query uses only costs writes."""

from datetime import timedelta

import pytest
from django.db import connection, models

from applications.models import AuditEvent
from moderation.models import Ban
from tests.factories import DAY, NOON, make_environment, staff_actor
from users.fields import in_any_case
from users.models import AppUser

pytestmark = pytest.mark.django_db

MANY = 3_000
NEWEST = ("-at", "-id")
users, bans, audit = AppUser.objects, Ban.objects, AuditEvent.objects
GIN = {"users_by_name"}
# Index → the question, as it is asked in the module that stands beside it.
QUESTIONS = {
    "users_appuser_pkey": lambda e: users.filter(pk=1),  # users.tokens
    "users_appuser_unique_id": lambda e: users.filter(environment=e, user_id="user-00032"),
    "users_appuser_uuid_key": lambda e: users.filter(uuid="0" * 32),  # api.agora.naming
    "users_in_any_case": lambda e: users.filter(in_any_case(["user-00032"]), environment=e),
    "users_by_age": lambda e: users.filter(environment=e).order_by("-registered_at", "-id")[:50],
    "users_by_last_seen": lambda e: users.filter(
        environment=e, last_seen_at__isnull=False
    ).order_by("-last_seen_at", "-id")[:50],
    "users_by_name": lambda e: users.extra(  # users.search
        where=["upper(name) LIKE '%%0032%%' AND name <> ''"]
    ).filter(environment=e),
    "users_never_connected": lambda e: (
        users.filter(environment=e).never_connected().order_by("-registered_at", "-id")[:50]
    ),
    "moderation_ban_pkey": lambda e: bans.filter(pk=1),  # moderation.bans
    "moderation_ban_one_open_per_user": lambda e: bans.in_force(NOON).filter(
        environment=e, user_id="user-00032"
    ),
    "moderation_ban_due": lambda e: bans.due(NOON).order_by("expires_at")[:500],
    # console.bans
    "moderation_ban_in_force": lambda e: (
        bans.in_force(NOON).filter(environment=e).order_by("ends_at", "id")[:50]
    ),
    "moderation_ban_closed": lambda e: bans.filter(environment=e, outcome="lifted").order_by(
        "-closed_at", "-id"
    )[:50],
    "moderation_ban_all": lambda e: bans.filter(environment=e).order_by("-id")[:50],
    "moderation_ban_of_user": lambda e: bans.filter(environment=e, user_id="user-00032").order_by(
        "-id"
    )[:50],
    "applications_auditevent_pkey": lambda e: audit.filter(pk=1),
    # console.audit, console.users
    "audit_of_environment": lambda e: audit.filter(environment=e).order_by(*NEWEST)[:50],
    "audit_of_subject": lambda e: (
        audit.filter(environment=e).about("user-00032").order_by("-id")[:50]
    ),
    "audit_of_type": lambda e: audit.filter(environment=e, type="ban.lifted").order_by(*NEWEST)[
        :50
    ],
    "audit_of_actor": lambda e: audit.filter(environment=e, actor="ada").order_by(*NEWEST)[:50],
    "audit_of_request": lambda e: (
        audit.filter(environment=e, request_id="call-7").exclude(request_id="").order_by("id")[:50]
    ),
    "audit_of_application": lambda e: audit.filter(
        application=e.application, environment=None
    ).order_by(*NEWEST)[:50],
}


@pytest.fixture
def environment():
    """One of two, with so many users, bans and lines that an index is worth it."""
    several = [make_environment(kind="production", plan="pro") for _ in range(2)]
    environment = several[0]
    ids = [f"user-{number:05}" for number in range(MANY)]
    moments = [NOON - timedelta(minutes=number) for number in range(MANY)]
    AppUser.objects.bulk_create(
        AppUser(
            environment=several[place >= 300],
            user_id=user_id,
            registered_at=at,
            last_seen_at=None if place % 7 == 0 else at,
        )
        for place, (user_id, at) in enumerate(zip(ids, moments, strict=True))
    )
    Ban.objects.bulk_create(
        Ban(
            environment=several[place >= 300],
            user_id=user_id,
            imposed_at=at,
            banned_since=at,
            imposed_by="grace",
            imposed_via="console",
            expires_at=at + DAY,
            **(
                {}
                if place % 5 == 0
                else {
                    "closed_at": at,
                    "closed_by": "grace",
                    "outcome": ("lifted", "expired", "replaced")[place % 3],
                }
            ),
        )
        for place, (user_id, at) in enumerate(zip(ids, moments, strict=True))
    )
    grace = staff_actor()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            at=at,
            type=("ban.imposed", "ban.lifted", "user.kicked")[place % 3],
            application=several[place >= 300].application,
            environment=several[place >= 300] if place % 9 else None,
            subject=user_id,
            actor_kind=grace.kind,
            actor=("ada", "bob", "grace")[place % 3],
            via=grace.via,
        )
        for place, (user_id, at) in enumerate(zip(ids, moments, strict=True))
    )
    return environment


def test_each_index_is_used_by_a_query(environment):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # Of so few rows; of millions nobody sorts a page's worth.
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
    unused = {}
    for name, ask in QUESTIONS.items():
        with connection.cursor() as cursor:  # a GIN index is read by bitmaps alone
            cursor.execute(f"SET LOCAL enable_bitmapscan = {'on' if name in GIN else 'off'}")
            cursor.execute(f"SET LOCAL enable_indexscan = {'off' if name in GIN else 'on'}")
            # One that many deletions have left large seems dear for so few rows.
            cursor.execute(f"SET LOCAL enable_seqscan = {'off' if name in GIN else 'on'}")
        plan = ask(environment).explain()
        if f" {name} " not in plan.replace("\n", " "):
            unused[name] = plan
    assert not unused


@pytest.mark.parametrize("model", [AppUser, Ban, AuditEvent])
def test_each_index_has_its_question(model: type[models.Model]):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = %s", [model._meta.db_table]
        )
        names = {name for (name,) in cursor.fetchall()}
    assert names - set(QUESTIONS) == set()
