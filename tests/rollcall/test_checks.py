"""Settings that cannot work are named, with the mend, before anything starts."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as current

from rollcall import checks, sign_in_settings

LONG = "abcdef123-" * 6
PRODUCTION = {
    "SECRET_KEY": LONG,
    "ENCRYPTION_KEYS": LONG,
    "DATABASE_URL": "postgres://rollcall@127.0.0.1:1/rollcall",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ALLOWED_HOSTS": "rollcall.example",
    "HTTPS": "true",
    "TRUSTED_PROXIES": "1",
}
OF_SETTINGS = ("--fail-level=WARNING", "--tag=security", "--tag=settings")


def manage(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=current.BASE_DIR,
        env={**os.environ, "DATABASE_URL": "", "REDIS_URL": "", **environment},
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_a_production_environment_has_nothing_to_mend():
    told = manage("check", "--deploy", *OF_SETTINGS, **PRODUCTION)
    assert told.returncode == 0, told.stderr


def test_a_demo_environment_is_told_all_that_production_needs():
    told = manage("check", "--deploy", *OF_SETTINGS).stderr
    for variable in ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "ALLOWED_HOSTS", "HTTPS"):
        assert variable in told
    # Django's own names for the same thing would tell nobody which variable to set.
    assert "security.W" not in told


@pytest.mark.parametrize("command", ["check", "demo", "serve", "migrate"])
def test_malformed_variables_are_named_all_at_once_and_nothing_starts(command, tmp_path):
    told = manage(
        command,
        DATA_DIR=str(tmp_path),
        PORT="80x",
        WEB_WORKERS="0",
        HTTPS="ture",
        DATABASE_URL="mysql://rollcall@127.0.0.1/rollcall",
        REDIS_URL="127.0.0.1:6379",
        API_TIME_ZONE="Mars/Base",
        LOG_LEVEL="loud",
    )
    assert told.returncode == 1
    assert told.stderr.count("(console.E001)") == 7
    assert "PORT is not understood." in told.stderr
    assert "It must be a whole number from 1 to 65535." in told.stderr
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "stores").exists()


@pytest.mark.parametrize("server", ["rollcall.wsgi", "rollcall.asgi", "gateway.app"])
def test_servers_refuse_malformed_variables_too(server):
    told = subprocess.run(
        [sys.executable, "-c", f"import {server}"],
        cwd=current.BASE_DIR,
        env={**os.environ, "PORT": "80x"},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert told.returncode == 1
    assert "PORT is not understood." in told.stderr


def provider(**fields):
    given = {
        "name": "Example ID",
        "issuer": "https://id.example.com",
        "client_id": "rollcall",
        "client_secret": "s",
        "scopes": [],
        "groups_claim": "groups",
        "roles": {},
        "origins": [],
    }
    return sign_in_settings.Provider(**{**given, **fields})


@pytest.mark.parametrize(
    ("number", "change"),
    [
        ("W001", {"GENERATED_SECRETS": ["SECRET_KEY"]}),
        ("W002", {"GENERATED_SECRETS": ["ENCRYPTION_KEYS"]}),
        ("W003", {"EMBEDDED_STORES": ["DATABASE_URL"]}),
        ("W004", {"EMBEDDED_STORES": ["REDIS_URL"]}),
        ("W005", {"ALLOWED_HOSTS": ["localhost"]}),
        ("W005", {"ALLOWED_HOSTS": ["*"]}),
        ("W006", {"HTTPS": False}),
        ("W007", {"TRUSTED_PROXIES": 0}),
        ("W008", {"API_RATE_LIMITS": False}),
        ("W009", {"WEBHOOKS_MAY_BE_LOCAL": True}),
        ("W010", {"OIDC": provider(client_id="")}),
        ("W011", {"OIDC": provider(issuer="http://id.example.com")}),
    ],
)
def test_each_shortcoming_has_its_number(number, change, settings):
    good = {
        "GENERATED_SECRETS": [],
        "EMBEDDED_STORES": [],
        "ALLOWED_HOSTS": ["rollcall.example"],
        "HTTPS": True,
        "TRUSTED_PROXIES": 1,
        "OIDC": provider(),
    }
    for name, value in {**good, **change}.items():
        setattr(settings, name, value)
    found = checks.settings_are_for_production()
    assert [message.id for message in found] == [f"console.{number}"]
    assert found[0].hint


def test_a_short_encryption_key_is_refused(settings):
    settings.ENCRYPTION_KEYS = [LONG, "short"]
    assert [message.id for message in checks.settings_are_understood()] == ["console.E002"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("short", "Key 1 of ENCRYPTION_KEYS has fewer than 32 characters."),
        (f"{LONG},{'changeme' * 8}", "Key 2 of ENCRYPTION_KEYS is not random text"),
        (f"{LONG}\u00e9", "Key 1 of ENCRYPTION_KEYS is not random text"),
        (f"{LONG},{LONG}", "ENCRYPTION_KEYS has the same key twice."),
    ],
)
def test_a_key_that_is_none_is_named(settings, keys, said):
    settings.ENCRYPTION_KEYS = keys.split(",")
    [message] = checks.settings_are_understood()
    assert said in message.msg
