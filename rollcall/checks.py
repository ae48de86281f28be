"""System checks of the settings: each names the variable and the fix.

Errors stop every command and every server from starting. Warnings concern only production:
`manage.py check --deploy` shows them, and so does `manage.py serve` at start.
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
        text = f"ENCRYPTION_KEYS has a key of fewer than {SHORTEST_KEY} characters."
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
        if name in settings.GENERATED_SECRETS:
            yield (
                number,
                f"{name} is not set: this machine has generated one that no other machine has.",
                f"Set the same one on all machines and back it up. Make one with: {MAKE_ONE}",
            )


def _stores() -> Iterator[Finding]:
    for number, name, example in (
        ("W003", "DATABASE_URL", "postgres://user:password@host:5432/rollcall"),
        ("W004", "REDIS_URL", "redis://host:6379/0"),
    ):
        if name in settings.EMBEDDED_STORES:
            yield (
                number,
                f"{name} is not set: the default is a store that only `make demo` starts.",
                f"Set it, for example to {example}",
            )


def _reach() -> Iterator[Finding]:
    hosts = set(settings.ALLOWED_HOSTS)
    if hosts <= LOCAL_NAMES or "*" in hosts:
        yield (
            "W005",
            "ALLOWED_HOSTS contains only local names, or all names.",
            "Set it to the host names of the site, separated by commas.",
        )
    if not settings.HTTPS:
        yield (
            "W006",
            "HTTPS is off: passwords, session cookies and app secrets are sent unencrypted.",
            "Put a proxy with a certificate in front, then set HTTPS=true and TRUSTED_PROXIES=1.",
        )
    elif not settings.TRUSTED_PROXIES:
        yield (
            "W007",
            "HTTPS is on but TRUSTED_PROXIES is 0: the proxy's X-Forwarded-Proto is ignored, and "
            "each request is redirected again and again.",
            "Set TRUSTED_PROXIES to the number of your proxies in front.",
        )


def _api() -> Iterator[Finding]:
    if not settings.API_RATE_LIMITS:
        yield "W008", "API_RATE_LIMITS is off.", "Remove the setting; it is for load tests."
    if settings.WEBHOOKS_MAY_BE_LOCAL:
        yield (
            "W009",
            "WEBHOOKS_MAY_BE_LOCAL lets members make this machine call its own network.",
            "Remove the setting; it is for trying webhooks.",
        )
