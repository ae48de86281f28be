"""Forms of the pages about users."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from console.forms import PLAIN, SpanField
from console.templatetags.words import sentence
from users import identity
from users.fields import USER_ID_MAX_LENGTH
from users.models import AVATAR_URL_MAX_LENGTH, NAME_MAX_LENGTH


class ProfileForm(forms.Form):
    """The fields that `users.profiles.update` changes."""

    name = forms.CharField(max_length=NAME_MAX_LENGTH, required=False)
    avatar_url = forms.CharField(
        label=gettext_lazy("Avatar URL"),
        max_length=AVATAR_URL_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={**PLAIN, "inputmode": "url"}),
        help_text=gettext_lazy(
            "Shown in push notifications. The console shows initials and loads no images."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        try:
            identity.check_profile(name=cleaned.get("name"), avatar_url=cleaned.get("avatar_url"))
        except identity.InvalidProfile as error:
            self.add_error(error.field, sentence(error))
        return cleaned


class RegisterForm(forms.Form):
    """A test user that staff register."""

    user_id = forms.CharField(
        label=gettext_lazy("User id"),
        max_length=USER_ID_MAX_LENGTH,
        widget=forms.TextInput(attrs={**PLAIN, "autofocus": True}),
        help_text=gettext_lazy("Letters, digits and + = . _ -"),
    )
    name = forms.CharField(max_length=NAME_MAX_LENGTH, required=False)
    lease = SpanField(
        label=gettext_lazy("Delete after"),
        least=1,
        required=False,
        help_text=gettext_lazy(
            "A lease, for a user who is needed for a while. Without one, the lease rules of "
            "the Quota page apply."
        ),
    )

    def clean_user_id(self) -> str:
        try:
            return identity.check_user_id(self.cleaned_data["user_id"])
        except identity.InvalidUserId as error:
            raise forms.ValidationError(sentence(error)) from error

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            identity.check_profile(name=name, avatar_url=None)
        except identity.InvalidProfile as error:
            raise forms.ValidationError(sentence(error)) from error
        return name


class LeaseForm(forms.Form):
    """How long a test user is kept from now on."""

    lease = SpanField(
        label=gettext_lazy("Delete after"),
        least=1,
        required=False,
        help_text=gettext_lazy("Counted from now. Leave it empty to keep the user without an end."),
    )


class ExpireTokensForm(forms.Form):
    """The moment before which issued tokens become invalid."""

    before = forms.DateTimeField(
        label=gettext_lazy("Issued before (UTC)"),
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"
        ),
    )
