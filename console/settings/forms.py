"""Forms of the Settings page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from pydantic.fields import FieldInfo

from applications.lazy_texts import gettext_lazy
from applications.models import Application, Environment
from applications.vendors import full_name, in_force, vendors
from console.forms import ApplicationNameField, SpanField
from console.templatetags.words import said_lazily


class RenameForm(forms.Form):
    name = ApplicationNameField(help_text=gettext_lazy("The URL and the keys do not change."))


class SettingsForm(forms.Form):
    """The settings that `environments.change` sets. The fields have the names of its arguments."""

    # Heading → its fields, in the order of the page.
    GROUPS = {
        gettext_lazy("Users"): ("reactivation_cooling_off", "ids_ignore_case"),
        gettext_lazy("Access tokens"): ("token_lifetime",),
        gettext_lazy("Messages"): ("friends_only",),
    }

    token_lifetime = SpanField(
        least=1,
        required=False,
        help_text=gettext_lazy(
            "How long new access tokens are valid. Empty: they do not expire. Tokens that "
            "are already issued do not change."
        ),
    )
    reactivation_cooling_off = SpanField(
        help_text=gettext_lazy(
            "How long after a deactivation the API refuses to reactivate the id. "
            "0: it may reactivate at once."
        ),
    )
    ids_ignore_case = forms.BooleanField(
        label=gettext_lazy("User ids ignore case"),
        required=False,
        help_text=gettext_lazy(
            "If <code>mia</code> is registered, <code>Mia</code> cannot register. An API "
            "whose user ids ignore case switches this on when it registers its first user."
        ),
    )
    friends_only = forms.BooleanField(
        label=gettext_lazy("Only friends may send each other direct messages"),
        required=False,
        help_text=gettext_lazy(
            "All other messages are refused with the rule <code>not_friends</code>. Your app "
            "server adds friends by API."
        ),
    )

    def __init__(self, data: Any = None, *, environment: Environment):
        current = {name: getattr(environment, name) for name in self.base_fields}
        names = [vendor.name for vendor in vendors()]
        super().__init__(data, initial=current | in_force(environment.vendor_settings, names))
        for vendor in vendors():
            for setting, about in vendor.settings.choices().items():
                self.fields[full_name(vendor.name, setting)] = _vendor_field(about)

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        for heading, names in self.GROUPS.items():
            yield heading, [self[name] for name in names]
        for vendor in vendors():
            if settings := vendor.settings.choices():
                yield vendor.title, [self[full_name(vendor.name, name)] for name in settings]

    def changes(self) -> dict[str, Any]:
        """The arguments for `environments.change`."""
        own = {name: self.cleaned_data[name] for name in self.base_fields}
        vendor_settings = {
            vendor.name: {
                setting: self.cleaned_data[full_name(vendor.name, setting)]
                for setting in vendor.settings.choices()
            }
            for vendor in vendors()
        }
        return {**own, "vendor_settings": vendor_settings}


def _vendor_field(about: FieldInfo) -> forms.Field:
    """A checkbox for a bool, an input for a text, a select for a choice: vendors have no others."""
    texts: dict[str, Any] = {"label": about.title, "help_text": about.description or ""}
    if about.annotation is bool:
        return forms.BooleanField(required=False, **texts)
    if about.annotation is str:
        return forms.CharField(required=False, max_length=200, **texts)
    kind: Any = about.annotation
    choices = [(value, said_lazily(label)) for value, label in kind.choices]
    return forms.ChoiceField(choices=choices, **texts)


class DoorsForm(forms.Form):
    """The vendors whose calls an application accepts: a checkbox for each vendor."""

    def __init__(self, *args: Any, application: Application, **options: Any):
        super().__init__(*args, **options)
        for vendor in vendors():
            self.fields[vendor.name] = forms.BooleanField(
                label=vendor.title, required=False, initial=vendor.name in application.vendors
            )

    def names(self) -> list[str]:
        return [name for name, is_open in self.cleaned_data.items() if is_open]


class UnlockForm(forms.Form):
    """How long the API may delete users in production."""

    lasting = forms.ChoiceField(
        label=gettext_lazy("For how long"),
        choices=[
            ("1", said_lazily("1 hour")),
            ("8", said_lazily("8 hours")),
            ("24", said_lazily("1 day")),
            ("168", said_lazily("7 days")),
        ],
        initial="1",
        widget=forms.RadioSelect,
    )

    def clean_lasting(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["lasting"]))
