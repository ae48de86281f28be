"""Forms of the Settings page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms

from applications.models import Application, Door, Environment, ErrorDialect, Plan
from console.forms import ApplicationNameField, SpanField


class RenameForm(forms.Form):
    name = ApplicationNameField(help_text="Its address and keys stay as they are.")


class SettingsForm(forms.Form):
    """What `environments.change` sets, by the name it has there."""

    # Heading → its fields, in the order of the page.
    GROUPS = {
        "Users": ("plan", "reactivation_cooling_off"),
        "Access tokens": ("token_lifetime",),
        "Messages": ("friends_only",),
        "RongCloud and Nexconn": ("require_signature_v2",),
        "Agora Chat": ("open_registration", "require_password", "error_dialect"),
    }

    plan = forms.ChoiceField(choices=Plan.choices)
    token_lifetime = SpanField(
        least=1,
        required=False,
        help_text="How long new access tokens live. Empty: they do not end by themselves. "
        "Tokens that are issued already keep the end they have.",
    )
    reactivation_cooling_off = SpanField(
        help_text="How long a deactivated user id must wait before the API may reactivate it. "
        "0: not at all.",
    )
    friends_only = forms.BooleanField(
        label="Only friends may send each other direct messages",
        required=False,
        help_text="Everybody else is refused by the rule <code>not_friends</code>. Your app server "
        "makes friendships, by API.",
    )
    require_signature_v2 = forms.BooleanField(
        label="Require version 2 signatures",
        required=False,
        help_text="Version 2 covers the whole request and is good once; see "
        "<code>docs/signature-v2.md</code>. The vendors' own SDKs cannot do it: their calls are "
        "then refused with code 1004.",
    )
    open_registration = forms.BooleanField(
        label="Open registration",
        required=False,
        help_text="Anybody may register a user, without an app token. Clients that sign up by "
        "themselves need it; it lets strangers fill the quota too.",
    )
    require_password = forms.BooleanField(
        label="Require a password at registration",
        required=False,
        help_text="Off: a user may be registered without one, and then signs in by token alone.",
    )
    error_dialect = forms.ChoiceField(
        label="Wording of 401 answers",
        choices=ErrorDialect.choices,
        help_text="What a call with a missing or bad token is told. Agora Chat grew out of "
        "Easemob, whose clients compare these texts.",
    )

    def __init__(self, data: Any = None, *, environment: Environment):
        kept = {name: getattr(environment, name) for name in self.base_fields}
        super().__init__(data, initial=kept)
        plan = self.fields["plan"]
        plan.disabled = environment.is_development
        plan.help_text = (
            "Development is always on trial."
            if environment.is_development
            else "Starter and pro have no limit of users. Going back to trial deletes nobody; "
            "it admits nobody new above the limit."
        )

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        for heading, names in self.GROUPS.items():
            yield heading, [self[name] for name in names]


class DoorsForm(forms.Form):
    """Which vendors' calls an application answers: a box for each vendor."""

    def __init__(self, *args: Any, application: Application, **options: Any):
        super().__init__(*args, **options)
        for door in Door:
            self.fields[door.value] = forms.BooleanField(
                label=door.label, required=False, initial=door.value in application.open_doors
            )

    def doors(self) -> list[Door]:
        return [door for door in Door if self.cleaned_data[door.value]]


class UnlockForm(forms.Form):
    """For how long Agora Chat's delete calls are let through in production."""

    lasting = forms.ChoiceField(
        label="For how long",
        choices=[("1", "1 hour"), ("8", "8 hours"), ("24", "1 day"), ("168", "7 days")],
        initial="1",
        widget=forms.RadioSelect,
    )

    def clean_lasting(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["lasting"]))
