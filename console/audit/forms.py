"""Filters of the audit trail."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy

from applications.audit_types import AuditType
from console.audit.words import words

# The last day whose end is a date too.
LATEST_DAY = date(9998, 12, 31)


class AuditFilterForm(forms.Form):
    """The filters of the page. Every field is optional."""

    type = forms.ChoiceField(
        label=gettext_lazy("What"),
        required=False,
        choices=[
            ("", gettext_lazy("Anything")),
            *((type, words(type).sentence) for type in AuditType),
        ],
    )
    actor = forms.CharField(label=gettext_lazy("By whom"), required=False, max_length=150)
    subject = forms.CharField(label=gettext_lazy("About"), required=False, max_length=150)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("To"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=[MaxValueValidator(LATEST_DAY)],
    )

    def clean_since(self) -> datetime | None:
        return midnight(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        """The end of that day, because periods are half-open."""
        end = midnight(self.cleaned_data["until"])
        return end and end + timedelta(days=1)


def midnight(day: Any) -> datetime | None:
    """The beginning of the day in UTC; None for no day."""
    return day and datetime.combine(day, time(), tzinfo=UTC)
