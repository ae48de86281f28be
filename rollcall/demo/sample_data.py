"""All sample data."""

from datetime import datetime
from random import Random
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction

from rollcall.demo import development, fjord, office, production
from rollcall.demo.timeline import Timeline
from rollcall.generated_secrets import generated_secret

SEED = 20
USERNAME = "demo"
COLLEAGUES = [office.ADMIN, office.MODERATOR, office.TESTER, office.VIEWER, office.FORMER]
FJORD_OWNER = "linnea.lindstrom"


def password() -> str:
    """The password of all sample accounts: random, and short enough to type."""
    return generated_secret(settings.DATA_DIR, "demo-password", length=16)


@transaction.atomic
def create(*, now: datetime) -> None:
    """Create two applications with staff, users and weeks of history, in a second or two."""
    random = Random(SEED)  # noqa: S311 - sample data, no secret
    timeline = Timeline(now)
    accounts = _accounts(now)
    acme = office.create_acme(timeline, accounts[USERNAME])
    office.add_members(timeline, acme, USERNAME)
    office.change_settings(timeline, acme, USERNAME)
    development.fill(timeline, acme, random)
    production.fill(timeline, acme, random)
    fjord.fill(timeline, accounts[FJORD_OWNER], USERNAME, random)
    timeline.run()


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
