"""Take a storey or a door off, with its templates and URLs: what is left runs."""

import os
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

from tests.stores import empty_database
from tests.waiting import PATIENCE

LAW = ["applications", "users", "moderation", "transfers"]  # from the ground up
DOORS = ["console", "api", "gateway"]
# The door's own part of what they share.
ITS_TEMPLATES = {
    "console": [
        each for each in os.listdir(settings.BASE_DIR / "templates") if each not in {"admin", "api"}
    ],
    "api": ["api"],
    "gateway": [],
}


@pytest.fixture
def own_database():
    with empty_database() as url:
        yield url


def run(script, *arguments, folder, **environment):
    """What the script prints, run by another Python in `folder`."""
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout.split()


STOREYS = """
import sys
from datetime import UTC, datetime
import django
import environ
from django.conf import settings

storeys = sys.argv[1].split()
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", *storeys],
    DATABASES={"default": environ.Env.db_url_config(sys.argv[2])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    ENCRYPTION_KEYS=["key"], SECRET_KEY="key", USE_TZ=True, TRUSTED_PROXIES=0,
    CELERY_BROKER_URL="memory://", REDIS_URL="redis://127.0.0.1:1/0", API_VENDORS=[],
    DB_PREPARED_STATEMENTS=True,
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from applications import environments
from applications.audit import Actor
at = {"by": Actor.system("test"), "now": datetime(2026, 3, 2, 12, tzinfo=UTC)}
environment = environments.create_application(name="Chirp", **at).environments["development"]
if "users" in storeys:
    from users import deletion, registration
    registration.register(environment=environment, user_id="ada", now=at["now"])
    deletion.delete(environment=environment, user_ids=["ada"], **at)
if "moderation" in storeys:
    from moderation import bans
    bans.impose(environment=environment, user_ids=["ada"], expires_at=None, reason="", **at)
print(*{name.split(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize("height", [1, 2, 3, 4])
def test_with_the_storeys_above_taken_off_the_rest_still_runs(height, own_database):
    storeys = LAW[:height]
    loaded = run(STOREYS, " ".join(storeys), own_database, folder=settings.BASE_DIR)
    assert set(loaded) & {*LAW, *DOORS} == set(storeys)


# The project's own settings, without what they say of the door: what somebody would take out there
# who does without it.
SETTINGS = """
from rollcall.settings import *

def without(names):
    return [name for name in names if name.split(".")[0] != DOOR]

INSTALLED_APPS, MIDDLEWARE, API_VENDORS = map(without, (INSTALLED_APPS, MIDDLEWARE, API_VENDORS))
_options = TEMPLATES[0]["OPTIONS"]
_options["context_processors"] = without(_options["context_processors"])
if DOOR == "console":
    LOGIN_URL = "admin:login"
    INSTALLED_APPS = [name for name in INSTALLED_APPS if not name.startswith("allauth")]
    MIDDLEWARE.remove("allauth.account.middleware.AccountMiddleware")
"""
DOOR_TAKEN_OFF = """
import asyncio, hashlib, os, sys
import django

door = sys.argv[1]
django.setup()
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from applications import environments
from applications.audit import Actor
from users import registration

call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
import rollcall.celery, rollcall.wsgi

settings.ALLOWED_HOSTS = ["testserver"]
client = Client()

def status(path, **more):
    return client.get(path, **more).status_code

ada = get_user_model().objects.create_superuser("ada", password="correct horse")
at = {"by": Actor.system("test"), "now": timezone.now()}
new = environments.create_application(name="Chirp", owner=ada, **at)
environment = new.environments["development"]
registered = registration.register(environment=environment, user_id="mia", now=at["now"])
assert new.application.vendors == ([] if door == "api" else ["nexconn", "rongcloud", "agora"])

assert status("/healthz") == 200
signed_in = client.post(
    reverse(settings.LOGIN_URL), {"username": "ada", "password": "correct horse", "next": "/admin/"}
)
assert (signed_in.status_code, signed_in.url) == (302, "/admin/")
for page in ("/admin/", f"/admin/applications/environment/{environment.pk}/change/"):
    assert status(page) == 200

home = "/console/chirp/development/"
pages = ["", "users/", "user/mia/", "connections/", "quota/", "bans/", "deactivated/", "lists/",
         "why/?q=mia", "mutes/",
         "try-it/", "keys/", "webhooks/", "webhooks/add/", "members/", "audit/", "settings/"]
wanted = 404 if door == "console" else 200
found = {page: status(home + page) for page in pages}
assert set(found.values()) == {wanted}, found
assert status("/console/") == wanted
assert status("/console/api/nexconn/") == (404 if door in ("console", "api") else 200)
if door != "console":
    saved = client.post(home + "settings/change/", {
        "plan": "trial", "token_lifetime_unit": "days", "friends_only": "on",
        "reactivation_cooling_off_amount": "0", "reactivation_cooling_off_unit": "days",
        "agora_error_dialect": "agora",
    })
    assert saved.status_code == 302, saved.content

signature = hashlib.sha1((new.secret_texts["development"] + "1" + "2").encode()).hexdigest()
headers = {"App-Key": environment.app_key, "Nonce": "1", "Timestamp": "2", "Signature": signature}
form = "application/x-www-form-urlencoded"
call = client.post("/user/info.json", "userId=mia", content_type=form, headers=headers)
assert call.status_code == (404 if door == "api" else 200), call.content

if door != "gateway":
    from gateway.app import application
    sent = []
    async def send(message):
        sent.append(message)
    asyncio.run(application({"type": "http", "path": "/"}, None, send))
    assert sent[0]["status"] == 404

print(*{name.split(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize("door", DOORS)
def test_with_a_door_taken_off_the_rest_still_runs(door, own_database, tmp_path):
    house = {"rollcall", "static", "templates", *LAW, *DOORS} - {door}
    for each in house:
        shutil.copytree(
            settings.BASE_DIR / each,
            tmp_path / each,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for each in ITS_TEMPLATES[door]:
        path = tmp_path / "templates" / each
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tmp_path / "without.py").write_text(f"DOOR = {door!r}\n{SETTINGS}")

    loaded = run(
        DOOR_TAKEN_OFF,
        door,
        folder=tmp_path,
        DJANGO_SETTINGS_MODULE="without",
        DATABASE_URL=own_database,
        REDIS_URL=settings.REDIS_URL,
        DATA_DIR=str(tmp_path / "var"),
        ENV_FILE=os.devnull,
    )
    assert set(loaded) & {*LAW, *DOORS} == {*LAW, *DOORS} - {door}
