"""Forms of the ban dialogs. They read text; the functions of `moderation` enforce the rules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext

from applications.lazy_texts import gettext_lazy
from applications.models import Environment
from console.bans import durations
from console.forms import PLAIN, UserIdsField
from console.templatetags.words import said_lazily
from moderation import stakes
from moderation.models import Ban


class EndForm(forms.Form):
    """When a ban ends: `cleaned_data["expires_at"]`, None for a permanent one."""

    until_label = gettext_lazy("For how long")

    until = forms.ChoiceField(
        choices=[
            ("1h", said_lazily("1 h")),
            ("24h", said_lazily("24 h")),
            ("7d", said_lazily("7 days")),
            ("30d", said_lazily("30 days")),
            ("permanent", gettext_lazy("Permanent")),
            ("custom", gettext_lazy("Custom")),
        ],
        initial="24h",
        widget=forms.RadioSelect,
    )
    custom = forms.CharField(
        label=gettext_lazy("Duration or end"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={**PLAIN, "aria-describedby": "id_custom_helptext"}),
    )
    # The browser's time zone, which only a script can read.
    zone = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-time-zone": True})
    )

    def __init__(self, *args: Any, now: datetime, **options: Any):
        self.now = now
        super().__init__(*args, **options)
        self.fields["until"].label = self.until_label

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        until = cleaned.get("until")
        cleaned["expires_at"] = None
        if until in {None, "permanent"} or "custom" not in cleaned:
            return cleaned
        try:
            cleaned["expires_at"] = durations.parse(
                cleaned["custom"] if until == "custom" else until,
                now=self.now,
                zone=durations.zone_named(cleaned.get("zone", "")),
            )
        except durations.NotAnEnd as error:
            self.add_error("custom", str(error))
        return cleaned


class _Reason(forms.CharField):
    def __init__(self, help_text: str):
        super().__init__(
            required=False,
            max_length=Ban._meta.get_field("reason").max_length,
            help_text=help_text,
            widget=forms.TextInput(attrs={"list": "reasons", "autocomplete": "off"}),
        )


class _TellReason(forms.BooleanField):
    def __init__(
        self,
        help_text: str = gettext_lazy(
            "The user always sees when the ban ends, never who imposed it."
        ),
    ):
        super().__init__(
            required=False, label=gettext_lazy("Tell the user the reason"), help_text=help_text
        )


class BanForm(EndForm):
    """User ids and when their bans end. If the stakes are high (`moderation.stakes`), the form
    requires a reason and the name of the environment.
    """

    needs_own_reason = True

    user_ids = UserIdsField(
        label=gettext_lazy("User ids"),
        help_text=gettext_lazy(
            "One or several, separated by blanks or commas. They need not be registered."
        ),
    )
    reason = _Reason(gettext_lazy("For other members, and for the user if you choose so below."))
    tell_reason = _TellReason()
    confirm = forms.CharField(required=False, max_length=200)
    field_order = ["user_ids", "until", "custom", "reason", "tell_reason", "confirm"]

    def __init__(self, *args: Any, environment: Environment, **options: Any):
        super().__init__(*args, **options)
        self.environment = environment

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors or not stakes.are_high(
            environment=self.environment,
            user_ids=cleaned["user_ids"],
            expires_at=cleaned["expires_at"],
        ):
            return cleaned
        if self.needs_own_reason and not cleaned["reason"]:
            self.add_error("reason", str(stakes.ReasonNeeded()))
        if cleaned["confirm"] != self.environment.full_name:
            self.add_error(
                "confirm",
                gettext("Type {full_name} to confirm.").format(
                    full_name=self.environment.full_name
                ),
            )
        return cleaned


class ImposeForm(BanForm):
    pass


class ChangeForm(BanForm):
    until_label = gettext_lazy("New end, counted from now")

    # Only for the preview: the view takes the user from the ban.
    user_ids = UserIdsField(required=False, widget=forms.HiddenInput)


class ChangeSeveralForm(BanForm):
    until_label = gettext_lazy("New end, counted from now")
    needs_own_reason = False

    reason = _Reason(gettext_lazy("If you leave it empty, each ban keeps its reason."))
    tell_reason = _TellReason(
        gettext_lazy("No effect on a ban that keeps a reason the user already knows.")
    )


def filled_in(query: Mapping[str, str]) -> dict[str, str]:
    """The end and the reason in the URL of a dialog, as the initial values of its form."""
    return {name: query[name] for name in ("until", "custom", "reason") if query.get(name)}
