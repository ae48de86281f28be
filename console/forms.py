"""Forms of the pages that stand above users and moderation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UsernameField
from django.core.validators import MaxValueValidator

from api.doors import VENDORS
from api.ratelimit import Limit
from applications.access import applications_of
from applications.audit import CATALOGUE
from applications.environments import MAX_RATE_LIMIT
from applications.models import Application, Door, Environment, ErrorDialect, Plan, Role

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


@dataclass(frozen=True)
class CallRate:
    """A row of the rate limits: a call, what its vendor's limit is, and the field for another."""

    call: str
    limit: Limit
    field: forms.BoundField


class RateLimitsForm(forms.Form):
    """How much of each call an environment may make in a second. Empty: the vendor's number."""

    def __init__(self, *args: Any, environment: Environment, **options: Any):
        super().__init__(*args, **options)
        for vendor in VENDORS:
            for call in vendor.calls:
                key = f"{vendor.name} {call}"
                self.fields[_field_name(key)] = forms.IntegerField(
                    required=False,
                    min_value=1,
                    max_value=MAX_RATE_LIMIT,
                    initial=environment.rate_limits.get(key),
                    widget=forms.NumberInput(
                        attrs={
                            "class": "rate",
                            "placeholder": vendor.limits.of(call).per_second,
                            "aria-label": f"Limit of {call}, per second",
                        }
                    ),
                )

    def by_vendor(self) -> Iterator[tuple[str, list[CallRate], int]]:
        """Each vendor with its calls, and how many of them have a number of their own."""
        for vendor in VENDORS:
            rows = [
                CallRate(call, vendor.limits.of(call), self[_field_name(f"{vendor.name} {call}")])
                for call in vendor.calls
            ]
            own = sum(row.field.value() not in {None, "", row.limit.per_second} for row in rows)
            yield Door(vendor.name).label, rows, own

    def rate_limits(self) -> dict[str, int]:
        """As `Environment.rate_limits` keeps them: what differs from the vendor's number."""
        given = {
            f"{vendor.name} {call}": (
                self.cleaned_data[_field_name(f"{vendor.name} {call}")],
                vendor.limits.of(call).per_second,
            )
            for vendor in VENDORS
            for call in vendor.calls
        }
        return {key: rate for key, (rate, usual) in given.items() if rate not in {None, usual}}


def _field_name(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", key)


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
