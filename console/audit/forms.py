"""Filters of the audit trail."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator

from applications.audit_types import AuditType
from console.audit.words import words


class AuditFilterForm(forms.Form):
    """The filters of the page. Every field is optional."""

    type = forms.ChoiceField(
        label="What",
        required=False,
        choices=[("", "Anything"), *((type, words(type).sentence) for type in AuditType)],
    )
    actor = forms.CharField(label="By whom", required=False, max_length=150)
    subject = forms.CharField(label="About", required=False, max_length=150)
    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=[MaxValueValidator(date(9998, 12, 31))],
    )

    def clean_since(self) -> datetime | None:
        return _midnight(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        """The end of that day, because periods are half-open."""
        midnight = _midnight(self.cleaned_data["until"])
        return midnight and midnight + timedelta(days=1)


def _midnight(day: Any) -> datetime | None:
    return day and datetime.combine(day, time(), tzinfo=UTC)
