"""Forms of signing in."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.contrib.auth import get_user_model
from django.utils.translation import gettext


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """allauth's, in our words."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        alone = self.fields["passwordless"]
        alone.label = gettext("Sign in with it alone")
        alone.help_text = gettext("Without username and password. It must check that it is you.")


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
