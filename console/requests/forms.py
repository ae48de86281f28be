"""Filters of the request log."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy

from applications.request_log import LoggedCall


class RequestFilterForm(forms.Form):
    """Every field is optional. An invalid one is ignored; the form shows its error."""

    state = forms.ChoiceField(
        label=gettext_lazy("Answer"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("ok", gettext_lazy("Accepted")),
            ("refused", gettext_lazy("Refused")),
        ],
    )
    call = forms.CharField(label=gettext_lazy("Call"), required=False, max_length=120)
    code = forms.CharField(label=gettext_lazy("Status or code"), required=False, max_length=40)
    secret = forms.CharField(label=gettext_lazy("Secret ends in"), required=False, max_length=4)

    def chosen(self, calls: Iterable[LoggedCall]) -> list[LoggedCall]:
        """Those of the calls that the filters let through."""
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        return [call for call in calls if all(_fits(call, *each) for each in wanted.items())]


def _fits(call: LoggedCall, name: str, wanted: str) -> bool:
    match name:
        case "state":
            return call.is_refused == (wanted == "refused")
        case "call":
            return wanted.lower() in f"{call.name} {call.path}".lower()
        case "code":
            return wanted in {str(call.status), call.code}
        case _:
            return call.secret_hint == wanted
