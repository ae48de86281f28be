"""Forms of the pages that stand above users and moderation."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UsernameField
from django.core.validators import MaxValueValidator

from applications.access import applications_of
from applications.audit import CATALOGUE
from applications.models import Application, Environment, Plan, Role

_UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400}
_SECOND = timedelta(seconds=1)


class _SpanWidget(forms.MultiWidget):
    def __init__(self) -> None:
        super().__init__(
            {
                "amount": forms.NumberInput(
                    attrs={"min": 0, "class": "amount", "aria-label": "Amount"}
                ),
                "unit": forms.Select(
                    choices=[(unit, unit) for unit in _UNITS], attrs={"aria-label": "Unit"}
                ),
            }
        )

    def decompress(self, value: timedelta | None) -> list[Any]:
        """In the largest unit that says it whole."""
        if value is None:
            return [None, "days"]
        fitting = [
            unit for unit, size in _UNITS.items() if value % (size * _SECOND) == timedelta(0)
        ]
        unit = fitting[-1] if fitting else "minutes"
        return [value // (_UNITS[unit] * _SECOND), unit]


class SpanField(forms.MultiValueField):
    """A length of time: an amount and its unit. Empty is None."""

    def __init__(self, *, least: int = 0, required: bool = True, **options: Any):
        super().__init__(
            fields=(
                # Ten years in minutes; without a bound the sum could fit no column.
                forms.IntegerField(min_value=least, max_value=5_256_000, required=required),
                forms.ChoiceField(choices=[(unit, unit) for unit in _UNITS]),
            ),
            widget=_SpanWidget(),
            require_all_fields=False,
            required=required,
            error_messages={"incomplete": "Enter an amount and its unit."},
            **options,
        )

    def compress(self, values: list[Any]) -> timedelta | None:
        amount, unit = values or (None, "")
        return None if amount is None else timedelta(seconds=amount * _UNITS[unit or "minutes"])


class _NameField(forms.CharField):
    def __init__(self, **options: Any):
        longest = Application._meta.get_field("name").max_length
        super().__init__(max_length=longest, **options)


class NewApplicationForm(forms.Form):
    name = _NameField(help_text="What people call it, such as Acme Chat. You can change it later.")
    plan = forms.ChoiceField(
        label="Plan of production",
        choices=Plan.choices,
        initial=Plan.TRIAL,
        widget=forms.RadioSelect,
        help_text="Trial holds as many users as development. Starter and pro have no limit.",
    )

    def __init__(self, *args: Any, account: Any, **options: Any):
        super().__init__(*args, **options)
        self.account = account

    def clean_name(self) -> str:
        """A form that is sent twice must not make two applications."""
        name: str = self.cleaned_data["name"]
        if applications_of(self.account).filter(name=name).exists():
            raise forms.ValidationError("You have an application of this name already.")
        return name


class RenameForm(forms.Form):
    name = _NameField(help_text="Its address and keys stay as they are.")


class SettingsForm(forms.Form):
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

    def __init__(self, *args: Any, environment: Environment, **options: Any):
        super().__init__(*args, **options)
        plan = self.fields["plan"]
        plan.disabled = environment.is_development
        plan.help_text = (
            "Development is always on trial."
            if environment.is_development
            else "Starter and pro have no limit of users. Going back to trial deletes nobody; "
            "it admits nobody new above the limit."
        )


class NewMemberForm(forms.Form):
    username = UsernameField(
        label="Username",
        max_length=150,
        validators=[get_user_model().username_validator],
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class AuditFilterForm(forms.Form):
    """What of the audit trail to show. Every field may be left out."""

    type = forms.ChoiceField(
        label="What",
        required=False,
        choices=[("", "Anything"), *CATALOGUE.items()],
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
        """The end of that day: periods are half-open."""
        midnight = _midnight(self.cleaned_data["until"])
        return midnight and midnight + timedelta(days=1)


def _midnight(day: Any) -> datetime | None:
    return day and datetime.combine(day, time(), tzinfo=UTC)
