"""Forms of the Overview."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from applications.access import applications_of
from applications.models import Plan
from console.forms import ApplicationNameField
from console.templatetags.words import said_lazily


class NewApplicationForm(forms.Form):
    name = ApplicationNameField(
        help_text=gettext_lazy("For example Acme Chat. You can change it later.")
    )
    plan = forms.ChoiceField(
        label=gettext_lazy("Plan of production"),
        choices=[(value, said_lazily(label)) for value, label in Plan.choices],
        initial=Plan.TRIAL,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Trial has the same limit as development. Starter and pro have no limit."
        ),
    )

    def __init__(self, *args: Any, account: Any, **options: Any):
        super().__init__(*args, **options)
        self.account = account

    def clean_name(self) -> str:
        """A form that is submitted twice must not create two applications."""
        name: str = self.cleaned_data["name"]
        if applications_of(self.account).filter(name=name).exists():
            raise forms.ValidationError(gettext("You already have an application with this name."))
        return name
