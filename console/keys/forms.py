"""Forms of the Keys page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from api.doors import VENDORS
from api.ratelimit import Limit
from applications.environments import MAX_RATE_LIMIT
from applications.models import Door, Environment


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
