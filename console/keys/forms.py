"""Forms of the Keys page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from applications.models import Environment
from applications.vendors import MAX_RATE_LIMIT, Limit, Vendor, VendorSettings, vendors


class SecretForm(forms.Form):
    """A new secret, and what becomes of the other one."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("Where it is used, such as “payments server”."),
    )
    others_end = forms.ChoiceField(
        label=gettext_lazy("The other secret"),
        required=False,
        choices=[
            ("", gettext_lazy("Stays until somebody revokes it")),
            ("1", gettext_lazy("Ends in an hour")),
            ("24", gettext_lazy("Ends in 24 hours")),
            ("168", gettext_lazy("Ends in 7 days")),
        ],
        help_text=gettext_lazy("Until it ends, you can roll back."),
    )

    def others_end_at(self, now: datetime) -> datetime | None:
        hours = self.cleaned_data["others_end"]
        return now + timedelta(hours=int(hours)) if hours else None


@dataclass(frozen=True)
class CallRate:
    """A row of the rate limits: a call, its vendor's limit, and the field for another limit."""

    call: str
    limit: Limit
    field: forms.BoundField


class RateLimitsForm(forms.Form):
    """How often an environment may make each call per second. Empty: the vendor's limit."""

    def __init__(self, *args: Any, environment: Environment, **options: Any):
        super().__init__(*args, **options)
        for vendor in vendors():
            chosen = VendorSettings.of(environment, vendor.name).rate_limits
            for call, limit in vendor.call_limits.items():
                self.fields[_field_name(vendor, call)] = forms.IntegerField(
                    required=False,
                    min_value=1,
                    max_value=MAX_RATE_LIMIT,
                    initial=chosen.get(call),
                    widget=forms.NumberInput(
                        attrs={
                            "class": "rate",
                            "placeholder": limit.per_second,
                            "aria-label": gettext("Limit of {call}, per second").format(call=call),
                        }
                    ),
                )

    def by_vendor(self) -> Iterator[tuple[str, list[CallRate], int]]:
        """Each vendor with its calls, and how many of them have a limit of their own."""
        for vendor in vendors():
            rows = [
                CallRate(call, limit, self[_field_name(vendor, call)])
                for call, limit in vendor.call_limits.items()
            ]
            own = sum(row.field.value() not in {None, "", row.limit.per_second} for row in rows)
            yield vendor.title, rows, own

    def vendor_settings(self) -> dict[str, dict[str, dict[str, int]]]:
        """The limits that differ from the vendor's, as an argument for `environments.change`."""
        return {vendor.name: {"rate_limits": self._changed_limits(vendor)} for vendor in vendors()}

    def _changed_limits(self, vendor: Vendor) -> dict[str, int]:
        given = {call: self.cleaned_data[_field_name(vendor, call)] for call in vendor.call_limits}
        return {
            call: rate
            for call, rate in given.items()
            if rate not in {None, vendor.call_limits[call].per_second}
        }


def _field_name(vendor: Vendor, call: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", f"{vendor.name} {call}")
