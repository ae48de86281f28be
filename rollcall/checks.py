"""System checks of the settings: each names the variable and the mend.

Errors keep every command and every server from starting. Warnings are for production alone:
`manage.py check --deploy` shows them, and so does `manage.py serve` as it starts.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

SETTINGS = "settings"  # their tag
SHORTEST_KEY = 32  # characters
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


@register(SETTINGS)
def settings_are_understood(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(f"{name} is not understood.", hint=f"It must be {expected}.", id="console.E001")
        for name, expected in sorted(settings.MALFORMED_VARIABLES.items())
    ]
    if any(len(key) < SHORTEST_KEY for key in settings.ENCRYPTION_KEYS):
        text = f"ENCRYPTION_KEYS has a key of less than {SHORTEST_KEY} characters."
        found.append(Error(text, hint=f"Make one with: {MAKE_ONE}", id="console.E002"))
    return found


@register(SETTINGS, deploy=True)
def settings_are_for_production(**_: Any) -> list[CheckMessage]:
    return [
        Warning(text, hint=hint, id=f"console.{number}")
        for number, text, hint in (*_secrets(), *_stores(), *_reach(), *_api())
    ]


Finding = tuple[str, str, str]  # number, what is wrong, what to do


def _secrets() -> Iterator[Finding]:
    for number, name in (("W001", "SECRET_KEY"), ("W002", "ENCRYPTION_KEYS")):
        if name in settings.OWN_SECRETS:
            yield (
                number,
                f"{name} is not set: this machine has made its own, which no other knows.",
                f"Set it, the same on all machines, and back it up. Make one with: {MAKE_ONE}",
            )


def _stores() -> Iterator[Finding]:
    for number, name, example in (
        ("W003", "DATABASE_URL", "postgres://user:password@host:5432/rollcall"),
        ("W004", "REDIS_URL", "redis://host:6379/0"),
    ):
        if name in settings.OWN_STORES:
            yield (
                number,
                f"{name} is not set: it stands for a store that only `make demo` starts.",
                f"Set it, as in {example}",
            )


def _reach() -> Iterator[Finding]:
    hosts = set(settings.ALLOWED_HOSTS)
    if hosts <= LOCAL_NAMES or "*" in hosts:
        yield (
            "W005",
            "ALLOWED_HOSTS names this machine only, or everything.",
            "Set it to the names under which the site is reached, parted by commas.",
        )
    if not settings.HTTPS:
        yield (
            "W006",
            "HTTPS is off: passwords, session cookies and app secrets travel in the clear.",
            "Put a proxy with a certificate in front, then set HTTPS=true and TRUSTED_PROXIES=1.",
        )
    elif not settings.TRUSTED_PROXIES:
        yield (
            "W007",
            "HTTPS is on but TRUSTED_PROXIES is 0: what a proxy says of HTTPS is not believed, and "
            "each request is redirected for ever.",
            "Set TRUSTED_PROXIES to how many proxies of yours stand in front.",
        )


def _api() -> Iterator[Finding]:
    if not settings.API_RATE_LIMITS:
        yield "W008", "API_RATE_LIMITS is off.", "Take it out; it is for load tests."
    if settings.WEBHOOKS_MAY_BE_LOCAL:
        yield (
            "W009",
            "WEBHOOKS_MAY_BE_LOCAL lets members make this machine call its own network.",
            "Take it out; it is for trying webhooks.",
        )
