"""The Bans page: in force, lifted, expired, all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.counting import count
from applications.keyset import Keyset
from applications.lazy_texts import gettext_lazy
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.identities import Identity, get_identities
from console.links import page_url
from moderation.models import Ban, BanQuerySet
from users import identity


@dataclass(frozen=True)
class Tab:
    label: str
    rows: Callable[[BanQuerySet, datetime], BanQuerySet]
    order: Keyset


LAST_CLOSED_FIRST = Keyset("-closed_at", "-id")
TABS = {
    "in_force": Tab(
        gettext_lazy("In force"), lambda bans, now: bans.in_force(now), Keyset("ends_at", "id")
    ),
    "lifted": Tab(
        gettext_lazy("Lifted"),
        lambda bans, now: bans.filter(outcome=Ban.Outcome.LIFTED),
        LAST_CLOSED_FIRST,
    ),
    "expired": Tab(
        gettext_lazy("Expired"),
        lambda bans, now: bans.filter(outcome=Ban.Outcome.EXPIRED),
        LAST_CLOSED_FIRST,
    ),
    "all": Tab(gettext_lazy("All"), lambda bans, now: bans, Keyset("-id")),
}


@dataclass(frozen=True)
class BanRow:
    """A row of the list. `state` is "in_force", "over" (the ban has ended and the sweep has not
    closed it yet) or the ban's outcome. `elapsed` is the share of its time that has passed, in
    per cent.
    """

    ban: Ban
    user: Identity
    state: str
    elapsed: int | None
    again_url: str  # the dialog that bans this user again


def ban_rows(environment: Environment, bans: Sequence[Ban], now: datetime) -> list[BanRow]:
    """The rows of these bans. The users of all bans are loaded in one batch."""
    identities = get_identities(environment=environment, user_ids=[ban.user_id for ban in bans])
    return [
        BanRow(
            ban=ban,
            user=identities[ban.user_id],
            state=_state(ban, now),
            elapsed=_elapsed(ban, now),
            again_url=page_url(environment, "bans:impose", query={"user": ban.user_id}),
        )
        for ban in bans
    ]


def _state(ban: Ban, now: datetime) -> str:
    if ban.is_in_force(now):
        return "in_force"
    return ban.outcome or "over"


def _elapsed(ban: Ban, now: datetime) -> int | None:
    if ban.expires_at is None or not ban.is_in_force(now):
        return None
    total = ban.expires_at - ban.banned_since
    return max(0, min(100, int(100 * ((now - ban.banned_since) / total))))


def listed(query: QueryDict, environment: Environment, now: datetime) -> tuple[BanQuerySet, Tab]:
    """The bans that the tab and the filters of a URL find, for the export."""
    tab = TABS[_current_tab(query)]
    bans = _filtered(Ban.objects.in_environment(environment), _filters(query))
    return tab.rows(bans, now), tab


def _current_tab(query: QueryDict) -> str:
    word = query.get("tab", "")
    return word if word in TABS else "in_force"


def _filters(query: QueryDict) -> dict[str, str]:
    return {key: query.get(key, "").strip() for key in ("q", "user")}


@require_safe
@in_environment(Permission.VIEW)
def ban_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`?q=` filters by the beginning of the id, `?user=` by the exact id."""
    now = timezone.now()
    current, filters = _current_tab(request.GET), _filters(request.GET)
    bans = _filtered(Ban.objects.in_environment(environment), filters)
    tab = TABS[current]
    page = responses.page(request, of=tab.rows(bans, now), order=tab.order)
    context = {
        "tab": current,
        "tabs": [
            {
                "word": word,
                "label": each.label,
                "current": word == current,
                "count": count(each.rows(bans, now)),
            }
            for word, each in TABS.items()
        ],
        "wanted": filters["user"] or filters["q"],
        "is_prefix": not filters["user"],
        "chips": _chips(environment, filters, current),
        "pages": page,
        "rows": ban_rows(environment, page.rows, now),
        # These bans have ended, and the sweep has not closed them yet.
        "unswept": count(bans.due(now)) if current == "expired" else None,
        "clear_url": page_url(environment, "bans:index", query={"tab": current}),
    }
    return responses.shown(
        request, "console/bans/index.html", context, fragment="console/bans/_list.html"
    )


def _filtered(bans: BanQuerySet, filters: dict[str, str]) -> BanQuerySet:
    """A filter that no id can match finds nothing."""
    if not all(identity.is_prefix(text) for text in filters.values() if text):
        return bans.none()
    if filters["q"]:
        bans = bans.with_prefix(filters["q"])
    return bans.filter(user_id=filters["user"]) if filters["user"] else bans


def _chips(environment: Environment, filters: dict[str, str], tab: str) -> list[dict[str, str]]:
    labels = {"q": gettext("User id begins with"), "user": gettext("User id is")}
    return [
        {
            "label": labels[key],
            "value": value,
            "url": page_url(environment, "bans:index", query={"tab": tab, **filters, key: ""}),
        }
        for key, value in filters.items()
        if value
    ]
