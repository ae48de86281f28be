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
FEWEST_CHARACTERS = 8  # different ones: random hex digits have fewer once in ten million times
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


@register(SETTINGS)
def settings_are_understood(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(f"{name} is not understood.", hint=f"It must be {expected}.", id="console.E001")
        for name, expected in sorted(settings.MALFORMED_VARIABLES.items())
    ]
    for number, fault in (
        ("E002", _key_fault()),
        ("E003", _repeated_key()),
        ("E004", _metrics_token_fault()),
    ):
        if fault:
            found.append(Error(fault, hint=f"Make one with: {MAKE_ONE}", id=f"console.{number}"))
    return found


def _key_fault() -> str | None:
    for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        if len(key) < SHORTEST_KEY:
            return f"Key {place} of ENCRYPTION_KEYS has fewer than {SHORTEST_KEY} characters."
        if len(set(key)) < FEWEST_CHARACTERS or not (key.isascii() and key.isprintable()):
            return f"Key {place} of ENCRYPTION_KEYS is not random text: anybody could guess it."
    return None


def _repeated_key() -> str | None:
    keys = settings.ENCRYPTION_KEYS
    return "ENCRYPTION_KEYS has the same key twice." if len(set(keys)) < len(keys) else None


def _metrics_token_fault() -> str | None:
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_KEY:
        return f"METRICS_TOKEN has fewer than {SHORTEST_KEY} characters."
    return None


@register(SETTINGS, deploy=True)
def settings_are_for_production(**_: Any) -> list[CheckMessage]:
    return [
        Warning(text, hint=hint, id=f"console.{number}")
        for number, text, hint in (*_secrets(), *_stores(), *_reach(), *_provider(), *_api())
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


def _provider() -> Iterator[Finding]:
    provider = settings.OIDC
    if provider is None:
        return
    if not provider.client_id or not provider.client_secret:
        yield (
            "W010",
            "OIDC_ISSUER is set, but OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not.",
            "Register Rollcall at the provider and set both, or remove OIDC_ISSUER.",
        )
    if not provider.issuer.startswith("https:"):
        yield (
            "W011",
            "OIDC_ISSUER is not https: whoever is on the way to it can sign in as anybody.",
            "Use the provider's https address.",
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
