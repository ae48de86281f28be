"""How the list of users is sorted and filtered. All of it is in the URL.

Invariant: each order is that of an index, and dates filter the column that the list is sorted by.
So no choice reads more of ten million users than a page. A search by id sorts by id.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django.http import QueryDict
from django.utils.translation import gettext

from applications.keyset import Keyset
from applications.lazy_texts import gettext_lazy
from console.audit.forms import LATEST_DAY, midnight
from users.models import AppUserQuerySet

BY_ID = Keyset("user_id")


@dataclass(frozen=True)
class Order:
    """`column` is the column of times that dates filter."""

    label: str
    keyset: Keyset
    column: str = "registered_at"
    column_label: str = gettext_lazy("Registered")


ORDERS = {
    "": Order(gettext_lazy("Newest first"), Keyset("-registered_at", "-id")),
    "oldest": Order(gettext_lazy("Oldest first"), Keyset("registered_at", "id")),
    "seen": Order(
        gettext_lazy("Seen last first"),
        Keyset("-last_seen_at", "-id"),
        "last_seen_at",
        gettext_lazy("Last seen"),
    ),
    "unseen": Order(
        gettext_lazy("Seen least lately"),
        Keyset("last_seen_at", "id"),
        "last_seen_at",
        gettext_lazy("Last seen"),
    ),
}
# Clicking a column's head sorts by it, and clicking again the other way.
HEADS = {"registered": ("", "oldest"), "seen": ("seen", "unseen")}


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=[MaxValueValidator(LATEST_DAY)],
    )


class UsersForm(forms.Form):
    """The filters of the page, except the search and the tabs. Every field is optional."""

    since = _day(gettext_lazy("From"))
    until = _day(gettext_lazy("To"))
    sort = forms.ChoiceField(
        label=gettext_lazy("Sort"),
        required=False,
        choices=[(word, each.label) for word, each in ORDERS.items()],
    )

    def clean_since(self) -> datetime | None:
        return midnight(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        """The end of that day, because periods are half-open."""
        end = midnight(self.cleaned_data["until"])
        return end and end + timedelta(days=1)


class Listing:
    """The order and the dates of a request. What does not apply is ignored: no dates in a search by
    id, and no sorting by last seen where nobody has been seen.
    """

    def __init__(self, query: QueryDict, *, prefix: str, tab: str):
        self.form = UsersForm(query)
        self.form.is_valid()
        self.by_id = bool(prefix)
        self._query = query
        word = self.form.cleaned_data.get("sort", "")
        if tab == "never" and ORDERS[word].column == "last_seen_at":
            word = ""
        self.word, self.order = word, ORDERS[word]
        self.dates = {
            lookup: value
            for lookup, name in (("gte", "since"), ("lt", "until"))
            if not self.by_id and (value := self.form.cleaned_data.get(name))
        }

    @property
    def keyset(self) -> Keyset:
        return BY_ID if self.by_id else self.order.keyset

    def applied(self, users: AppUserQuerySet) -> AppUserQuerySet:
        if self.by_id:
            return users
        column = self.order.column
        lookups: dict[str, Any] = {f"{column}__{name}": at for name, at in self.dates.items()}
        if column == "last_seen_at":  # the index leaves out who never connected
            lookups["last_seen_at__isnull"] = False
        return users.filter(**lookups)

    def heads(self) -> dict[str, dict[str, str]]:
        """Column → the URL that sorts by it, and how it is sorted now, as `aria-sort` says it."""
        return {
            name: {
                "url": self._url(sort=backwards if self.word == first else first),
                "sorted": ""
                if self.by_id
                else {first: "descending", backwards: "ascending"}.get(self.word, ""),
            }
            for name, (first, backwards) in HEADS.items()
        }

    def chips(self) -> Iterator[dict[str, str]]:
        """The dates that are applied, each with the URL without it."""
        for name, lookup in (("since", "gte"), ("until", "lt")):
            if lookup in self.dates:
                label = gettext("{column} from") if name == "since" else gettext("{column} to")
                yield {
                    "label": label.format(column=self.order.column_label),
                    "value": str(self.form.data[name]),
                    "url": self._url(**{name: ""}),
                }

    def _url(self, **changed: str) -> str:
        query = self._query.copy()
        for name in (*changed, "cursor"):
            query.pop(name, None)
        query.update({name: value for name, value in changed.items() if value})
        return f"?{query.urlencode()}"
