"""All sample data."""

from datetime import datetime
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from applications.models import Application
from rollcall.demo import development, figures, fjord, office, production
from rollcall.demo.timeline import Timeline
from rollcall.generated_secrets import generated_secret

SEED = 20
USERNAME = "demo"
PASSWORD_FILE = "demo-password"  # noqa: S105 - in `DATA_DIR`
COLLEAGUES = [office.ADMIN, office.MODERATOR, office.TESTER, office.VIEWER, office.FORMER]
FJORD_OWNER = "linnea.lindstrom"


def password() -> str:
    """The password of all sample accounts: random, and short enough to type."""
    return generated_secret(settings.DATA_DIR, PASSWORD_FILE, length=16)


@transaction.atomic
def create(*, now: datetime) -> None:
    """Create two applications with staff, users and weeks of history, in a second or two."""
    random = Random(SEED)  # noqa: S311 - sample data, no secret
    timeline = Timeline(now)
    accounts = _accounts(now)
    made = office.create_acme(timeline, accounts[USERNAME])
    office.add_members(timeline, made, USERNAME)
    office.change_settings(timeline, made, USERNAME)
    development.fill(timeline, made, random)
    production.fill(timeline, made, random)
    fjord.fill(timeline, accounts[FJORD_OWNER], USERNAME, random)
    timeline.run()
    figures.fill(made.environments["production"], now=now, random=random)


def acme() -> Application | None:
    """Acme Chat, if `create` has made it and it is still there."""
    if not (settings.DATA_DIR / PASSWORD_FILE).exists():
        return None
    made = Application.objects.filter(org_name="acme-chat", members__account__username=USERNAME)
    return made.filter(members__account__username=office.ADMIN).first()


def _accounts(now: datetime) -> dict[str, Any]:
    """Sample accounts by username. All have the same password, so that you can try each role.

    Existing accounts keep their passwords.
    """
    model = get_user_model()
    hashed = make_password(password())
    accounts = {}
    for username in (USERNAME, *COLLEAGUES, FJORD_OWNER):
        accounts[username], _ = model.objects.get_or_create(
            username=username,
            defaults={
                "password": hashed,
                "is_staff": username == USERNAME,
                "is_superuser": username == USERNAME,
                "date_joined": now,
            },
        )
    return accounts
