"""Forms of the users' pages. Bounds come from the domain; what only it can know, it raises, and the
view puts beside the field.
"""

from datetime import datetime
from typing import Any

from django import forms

from applications.models import FREE_USER_LIMIT
from users import identity
from users.fields import USER_ID_MAX_LENGTH
from users.models import AVATAR_URL_MAX_LENGTH, NAME_MAX_LENGTH

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class ProfileForm(forms.Form):
    """What `users.profiles.update` changes."""

    name = forms.CharField(max_length=NAME_MAX_LENGTH, required=False)
    avatar_url = forms.CharField(
        label="Avatar address",
        max_length=AVATAR_URL_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}),
        help_text="Shown in push notices. The console shows initials and fetches nothing.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        try:
            identity.check_profile(name=cleaned.get("name"), avatar_url=cleaned.get("avatar_url"))
        except identity.InvalidProfile as error:
            self.add_error(error.field, f"{error}.")
        return cleaned


class RegisterForm(forms.Form):
    """A test user made by hand."""

    user_id = forms.CharField(
        label="User id",
        max_length=USER_ID_MAX_LENGTH,
        widget=forms.TextInput(attrs={**_PLAIN, "autofocus": True}),
        help_text="Letters, digits and + = . _ -",
    )
    name = forms.CharField(max_length=NAME_MAX_LENGTH, required=False)

    def clean_user_id(self) -> str:
        try:
            return identity.check_user_id(self.cleaned_data["user_id"])
        except identity.InvalidUserId as error:
            raise forms.ValidationError(f"{error}.") from error

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            identity.check_profile(name=name, avatar_url=None)
        except identity.InvalidProfile as error:
            raise forms.ValidationError(f"{error}.") from error
        return name


class ExpireTokensForm(forms.Form):
    """The moment before which tokens were issued that are to be dead."""

    before = forms.DateTimeField(
        label="Issued before (UTC)",
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"
        ),
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any):
        super().__init__(*args, **{"initial": {"before": now}, **kwargs})
        self.now = now

    def clean_before(self) -> datetime:
        """A moment ahead would keep killing tokens not issued yet, and could not be taken back."""
        before: datetime = self.cleaned_data["before"]
        if before > self.now:
            raise forms.ValidationError("This moment is still to come. It is in UTC.")
        return before


class ReclaimForm(forms.Form):
    """How many places to free, and among which ids."""

    free = forms.IntegerField(
        label="Free up",
        min_value=1,
        max_value=FREE_USER_LIMIT,
        initial=10,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    among = forms.CharField(
        label="Ids beginning with",
        max_length=USER_ID_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN),
    )

    def clean_among(self) -> str:
        among: str = self.cleaned_data["among"]
        if among and not identity.is_prefix(among):
            raise forms.ValidationError("No user id begins so: Latin letters, digits, + = . _ -")
        return among
