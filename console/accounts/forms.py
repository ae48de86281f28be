"""Forms of signing in."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils.translation import gettext


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """allauth's, in our words."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        alone = self.fields["passwordless"]
        alone.label = gettext("Sign in with it alone")
        alone.help_text = gettext("Without username and password. It must check that it is you.")


class _OnceOnly(BaseAuthenticateForm):  # type: ignore[misc]
    """A code signs in once, as long as it is valid. allauth itself remembers a used one for one
    step, and with the tolerance a code is valid for three.
    """

    def clean_code(self) -> str:
        code = str(super().clean_code())
        seconds = app_settings.TOTP_PERIOD * (1 + 2 * app_settings.TOTP_TOLERANCE)
        key = f"console.used_code:{self.user.pk}:{normalize_user_code(code)}"
        if not cache.add(key, True, timeout=seconds):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_OnceOnly, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class CodeAgainForm(_OnceOnly, ReauthenticateForm):  # type: ignore[misc]
    """Signing in anew by a code."""


class SignInForm(LoginForm):  # type: ignore[misc]
    """allauth's, with the field name that browsers and scripts know."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["login"].max_length = get_user_model()._meta.get_field("username").max_length
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            field.help_text = ""
        self.fields["login"].widget.attrs["autofocus"] = True

    def add_prefix(self, field_name: str) -> str:
        return "username" if field_name == "login" else str(super().add_prefix(field_name))
