"""Settings of signing in: django-allauth's, and those of an OpenID Connect provider."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from rollcall.variables import Variables, url

ROLES = ("viewer", "tester", "moderator", "admin", "owner")
# A group of the provider → pairs of an application's org name and a role there.
Roles = dict[str, list[tuple[str, str]]]
# After signing in, how long one may do what asks for signing in again.
RECENT = timedelta(minutes=10)


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider."""

    name: str
    issuer: str
    client_id: str
    client_secret: str
    scopes: list[str]
    groups_claim: str
    roles: Roles
    origins: list[str]

    @property
    def id(self) -> str:
        """Its id in URLs and in the database. Another issuer is another provider: its people are
        others, even where their ids are the same.
        """
        parts = urlsplit(self.issuer)
        return re.sub(r"[^a-z0-9.]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-")


def oidc(env: Variables) -> Provider | None:
    """The provider, if `OIDC_ISSUER` is set."""
    issuer = env.parsed("OIDC_ISSUER", "", url("https", "http"), "as in https://id.example.com")
    page = env.parsed("OIDC_SIGN_IN_URL", issuer, url("https", "http"), "the URL of a page")
    nobody: Roles = {}
    roles = env.parsed(
        "OIDC_ROLES", nobody, _roles, "as in support=acme-chat:moderator, with known roles"
    )
    if not issuer:
        return None
    pages = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, (issuer, page))}
    return Provider(
        name=env.text("OIDC_NAME", "") or urlsplit(issuer).netloc,
        issuer=issuer.rstrip("/"),
        client_id=env.text("OIDC_CLIENT_ID", ""),
        client_secret=env.text("OIDC_CLIENT_SECRET", ""),
        scopes=env.words("OIDC_SCOPES", ["openid", "profile", "email"]),
        groups_claim=env.text("OIDC_GROUPS_CLAIM", "groups"),
        roles=roles,
        origins=sorted(pages),
    )


def _roles(text: str) -> Roles:
    """`group=org-name:role`, separated by commas. A group may stand there several times."""
    found: Roles = {}
    for rule in text.split(","):
        group, _, grant = rule.strip().rpartition("=")
        org_name, _, role = grant.strip().partition(":")
        if not group.strip() or not org_name or role not in ROLES:
            raise ValueError(rule)
        found.setdefault(group.strip(), []).append((org_name, role))
    return found


def allauth(*, https: bool, provider: Provider | None) -> dict[str, Any]:
    """Rollcall sends no mail, and nobody signs up: members are invited, or come from a provider."""
    return {
        "ACCOUNT_ADAPTER": "console.accounts.adapters.AccountAdapter",
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_SESSION_REMEMBER": True,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": int(RECENT.total_seconds()),
        # Passwords are limited by `rollcall.passwords`; what is left here is for codes.
        "ACCOUNT_RATE_LIMITS": {"login": None, "reauthenticate": None},
        "MFA_ADAPTER": "console.accounts.adapters.SecondFactorAdapter",
        "MFA_FORMS": {
            "add_webauthn": "console.accounts.forms.PasskeyForm",
            "authenticate": "console.accounts.forms.CodeForm",
            "reauthenticate": "console.accounts.forms.CodeAgainForm",
        },
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,
        "MFA_TOTP_ISSUER": "Rollcall",
        # The code before and the one after are taken too: clocks of phones are off by seconds.
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not https,
        "SOCIALACCOUNT_ADAPTER": "console.accounts.providers.ProviderAdapter",
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
        "SOCIALACCOUNT_QUERY_EMAIL": False,
        "SOCIALACCOUNT_PROVIDERS": {"openid_connect": _openid_connect(provider)},
    }


def _openid_connect(provider: Provider | None) -> dict[str, Any]:
    if provider is None:
        return {"APPS": []}
    return {
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": provider.scopes,
        "APPS": [
            {
                "provider_id": provider.id,
                "name": provider.name,
                "client_id": provider.client_id,
                "secret": provider.client_secret,
                "settings": {"server_url": provider.issuer},
            }
        ],
    }
