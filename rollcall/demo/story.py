"""The sample data as a whole."""

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
    """Of all sample accounts. Made at random, and short enough to be typed."""
    return generated_secret(settings.DATA_DIR, "demo-password", length=16)


@transaction.atomic
def tell(*, now: datetime) -> None:
    """Two applications with staff, users and weeks of history; a second or two."""
    random = Random(SEED)  # noqa: S311 - sample data, no secret
    timeline = Timeline(now)
    accounts = _accounts(now)
    acme = office.found_acme(timeline, accounts[USERNAME])
    office.staff_acme(timeline, acme, USERNAME)
    office.run_acme(timeline, acme, USERNAME)
    development.fill(timeline, acme, random)
    production.fill(timeline, acme, random)
    fjord.fill(timeline, accounts[FJORD_OWNER], USERNAME, random)
    timeline.tell()


def _accounts(now: datetime) -> dict[str, Any]:
    """All with the same password, so that one can look through the eyes of each role.

    An account that is there already keeps its own.
    """
    accounts = get_user_model()
    hashed = make_password(password())
    made = {}
    for username in (USERNAME, *COLLEAGUES, FJORD_OWNER):
        made[username], _ = accounts.objects.get_or_create(
            username=username,
            defaults={
                "password": hashed,
                "is_staff": username == USERNAME,
                "is_superuser": username == USERNAME,
                "date_joined": now,
            },
        )
    return made
