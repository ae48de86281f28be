"""What the search finds: a hit is a link, a dialog or a button that posts."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hit:
    """One line of the results. Not `allowed`: it is shown, disabled, with the roles that may."""

    label: str
    url: str
    icon: str
    detail: str = ""
    is_code: bool = False
    opens: str = "page"  # "page", "dialog" or "post"
    fields: dict[str, str] = field(default_factory=dict)
    allowed: bool = True
    needs: str = ""
    state: str = ""


@dataclass(frozen=True)
class Group:
    """Hits of one kind. `note` says what is missing from them."""

    title: str
    hits: Sequence[Hit]
    note: str = ""
