"""Fields that several pages share."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from applications.models import Application
from console.templatetags.words import sentence
from users import identity
from users.fields import USER_ID_MAX_LENGTH

# How many user ids a form accepts at once.
MAX_AT_ONCE = 100


PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class UserIdField(forms.CharField):
    """One user id, registered or not. An empty optional field gives ""."""

    def __init__(self, **options: Any):
        options.setdefault("widget", forms.TextInput(attrs=PLAIN))
        super().__init__(max_length=USER_ID_MAX_LENGTH, **options)

    def clean(self, value: Any) -> str:
        user_id = super().clean(value)
        try:
            return identity.check_user_id(user_id) if user_id else ""
        except identity.InvalidUserId as error:
            raise forms.ValidationError(sentence(error)) from error


class UserIdsField(forms.CharField):
    """User ids separated by blanks, commas, semicolons or new lines: a list without duplicates."""

    def __init__(self, **options: Any):
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2, **PLAIN}))
        super().__init__(**options)

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        try:
            user_ids = identity.check_user_ids(re.findall(r"[^\s,;]+", text))
        except identity.InvalidUserId as error:
            shown = error.user_id if len(error.user_id) <= 80 else f"{error.user_id[:80]}…"
            raise forms.ValidationError(
                gettext("“{shown}” is not a user id. {error}").format(
                    shown=shown, error=sentence(error)
                )
            ) from error
        if self.required and not user_ids:
            raise forms.ValidationError(gettext("Enter at least one user id."))
        if len(user_ids) > MAX_AT_ONCE:
            raise forms.ValidationError(
                gettext("You entered {count} ids. Enter at most {max_at_once}.").format(
                    count=len(user_ids), max_at_once=MAX_AT_ONCE
                )
            )
        return user_ids


_UNITS = {"minutes": 60, "hours": 3_600, "days": 86_400}
_LABELS = {
    "minutes": gettext_lazy("minutes"),
    "hours": gettext_lazy("hours"),
    "days": gettext_lazy("days"),
}


_SECOND = timedelta(seconds=1)


class _SpanWidget(forms.MultiWidget):
    def __init__(self) -> None:
        super().__init__(
            {
                "amount": forms.NumberInput(
                    attrs={"min": 0, "class": "amount", "aria-label": gettext_lazy("Amount")}
                ),
                "unit": forms.Select(
                    choices=list(_LABELS.items()),
                    attrs={"aria-label": gettext_lazy("Unit")},
                ),
            }
        )

    def decompress(self, value: timedelta | None) -> list[Any]:
        """The amount in the largest unit that gives a whole number."""
        if value is None:
            return [None, "days"]
        fitting = [
            unit for unit, size in _UNITS.items() if value % (size * _SECOND) == timedelta(0)
        ]
        unit = fitting[-1] if fitting else "minutes"
        return [value // (_UNITS[unit] * _SECOND), unit]


class SpanField(forms.MultiValueField):
    """A length of time: an amount and a unit. An empty field gives None."""

    def __init__(self, *, least: int = 0, required: bool = True, **options: Any):
        super().__init__(
            fields=(
                # Ten years in minutes. Without a bound the value could overflow its column.
                forms.IntegerField(min_value=least, max_value=5_256_000, required=required),
                forms.ChoiceField(choices=list(_LABELS.items())),
            ),
            widget=_SpanWidget(),
            require_all_fields=False,
            required=required,
            error_messages={"incomplete": gettext_lazy("Enter an amount and a unit.")},
            **options,
        )

    def compress(self, values: list[Any]) -> timedelta | None:
        amount, unit = values or (None, "")
        return None if amount is None else timedelta(seconds=amount * _UNITS[unit or "minutes"])


class ApplicationNameField(forms.CharField):
    def __init__(self, **options: Any):
        longest = Application._meta.get_field("name").max_length
        super().__init__(max_length=longest, **options)
