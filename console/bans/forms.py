"""Forms of the ban dialogs: they read text, and leave the law to the verbs."""

from datetime import datetime
from typing import Any

from django import forms

from applications.models import Environment
from console.bans import durations
from console.forms import PLAIN, UserIdsField
from moderation import stakes
from moderation.models import Ban


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
        widget=forms.TextInput(attrs={**PLAIN, "aria-describedby": "id_custom_helptext"}),
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


class _TellReason(forms.BooleanField):
    def __init__(self, help_text: str = "With the end of the ban. Never who imposed it."):
        super().__init__(required=False, label="Tell the user the reason", help_text=help_text)


class BanForm(EndForm):
    """An end for the bans of some users. Where much is at stake it wants a reason, and the
    environment's name typed.
    """

    needs_own_reason = True

    user_ids = UserIdsField(
        label="User ids",
        help_text="One or several, apart by blanks or commas. They need not be registered.",
    )
    reason = _Reason("For your colleagues, and for the user if you choose so.")
    tell_reason = _TellReason()
    confirm = forms.CharField(required=False, max_length=200)
    field_order = ["user_ids", "until", "custom", "reason", "tell_reason", "confirm"]

    def __init__(self, *args: Any, environment: Environment, **options: Any):
        super().__init__(*args, **options)
        self.environment = environment

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if self.errors or not stakes.are_high(
            environment=self.environment,
            user_ids=given["user_ids"],
            expires_at=given["expires_at"],
        ):
            return given
        if self.needs_own_reason and not given["reason"]:
            self.add_error("reason", str(stakes.ReasonNeeded()))
        if given["confirm"] != self.environment.full_name:
            self.add_error("confirm", f"Type {self.environment.full_name} to confirm.")
        return given


class ImposeForm(BanForm):
    pass


class ChangeForm(BanForm):
    asks = "New end, counted from now"

    # Whose ban it is; the address says it to the verb.
    user_ids = UserIdsField(required=False, widget=forms.HiddenInput)


class ChangeSeveralForm(BanForm):
    asks = "New end, counted from now"
    needs_own_reason = False

    reason = _Reason("Left empty, each ban keeps its own.")
    tell_reason = _TellReason("Reasons that are told already and are kept stay told.")
