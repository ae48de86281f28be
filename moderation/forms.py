"""Forms of the moderation pages: they read text, and leave the law to the verbs."""

import re
from datetime import datetime
from typing import Any

from django import forms

from moderation import durations
from moderation.models import Ban
from users import identity
from users.fields import USER_ID_MAX_LENGTH

# How many ids a form takes at once.
MAX_AT_ONCE = 100

_PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class UserIdField(forms.CharField):
    """One user id, registered or not; "" where it is not required."""

    def __init__(self, **options: Any):
        options.setdefault("widget", forms.TextInput(attrs=_PLAIN))
        super().__init__(max_length=USER_ID_MAX_LENGTH, **options)

    def clean(self, value: Any) -> str:
        user_id = super().clean(value)
        try:
            return identity.check_user_id(user_id) if user_id else ""
        except identity.InvalidUserId as error:
            raise forms.ValidationError(f"{error}.") from error


class UserIdsField(forms.CharField):
    """User ids apart by blanks, commas or lines: a list of them, each once."""

    def __init__(self, **options: Any):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2, **_PLAIN}))
        super().__init__(**options)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        try:
            user_ids = identity.check_user_ids(re.findall(r"[^\s,;]+", text))
        except identity.InvalidUserId as error:
            shown = error.user_id if len(error.user_id) <= 80 else f"{error.user_id[:80]}…"
            raise forms.ValidationError(f"“{shown}” is no user id. {error}.") from error
        if self.required and not user_ids:
            raise forms.ValidationError("Name at least one user id.")
        if len(user_ids) > MAX_AT_ONCE:
            raise forms.ValidationError(
                f"These are {len(user_ids)} ids; at most {MAX_AT_ONCE} at once."
            )
        return user_ids


class EndForm(forms.Form):
    """When a ban ends: `cleaned_data["expires_at"]`, None for a permanent one."""

    asks = "For how long"

    until = forms.ChoiceField(
        choices=[
            ("1h", "1 h"),
            ("24h", "24 h"),
            ("7d", "7 days"),
            ("30d", "30 days"),
            ("permanent", "Permanent"),
            ("custom", "Custom"),
        ],
        initial="24h",
        widget=forms.RadioSelect,
    )
    custom = forms.CharField(
        label="Duration or end",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={**_PLAIN, "aria-describedby": "id_custom_helptext"}),
    )
    # The browser's time zone, which only a script can tell.
    zone = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-time-zone": True})
    )

    def __init__(self, *args: Any, now: datetime, **options: Any):
        self.now = now
        super().__init__(*args, **options)
        self.fields["until"].label = self.asks

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        until = given.get("until")
        given["expires_at"] = None
        if until in {None, "permanent"} or "custom" not in given:
            return given
        try:
            given["expires_at"] = durations.parse(
                given["custom"] if until == "custom" else until,
                now=self.now,
                zone=durations.zone_named(given.get("zone", "")),
            )
        except durations.NotAnEnd as error:
            self.add_error("custom", str(error))
        return given


class _Reason(forms.CharField):
    def __init__(self, help_text: str):
        super().__init__(
            required=False,
            max_length=Ban._meta.get_field("reason").max_length,
            help_text=help_text,
            widget=forms.TextInput(attrs={"list": "reasons", "autocomplete": "off"}),
        )


class ImposeForm(EndForm):
    user_ids = UserIdsField(
        label="User ids",
        help_text="One or several, apart by blanks or commas. They need not be registered.",
    )
    reason = _Reason("For your colleagues; the user is not told.")
    field_order = ["user_ids", "until", "custom", "reason"]


class ChangeForm(EndForm):
    asks = "New end, counted from now"

    # Whose ban it is, for the preview; the address says it to the verb.
    user_ids = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = _Reason("For your colleagues; the user is not told.")


class ChangeSeveralForm(ImposeForm):
    asks = "New end, counted from now"

    reason = _Reason("Left empty, each ban keeps its own.")


class BrowseForm(forms.Form):
    """The filters in the address of the Lists page."""

    owner = UserIdField(label="Whose list", required=False)
    listed = UserIdField(label="Who is on it", required=False)


class EntriesForm(forms.Form):
    user_ids = UserIdsField(
        label="Add to this list",
        help_text="User ids, one or several, apart by blanks or commas.",
    )


class MayMessageForm(forms.Form):
    sender = UserIdField(label="May")
    recipient = UserIdField(label="write to")
