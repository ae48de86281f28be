"""The Quota page: how many places are taken, who holds them, and a plan to free some."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.models import FREE_USER_LIMIT, Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.quota.explained import explained
from console.quota.forms import ReclaimForm
from console.templatetags import words
from users import identity, lease_rules, places, reclaim, undo
from users import quota as quotas
from users.models import DeletedUser, DeletionJob
from users.places import Group, Held

RECENT_JOBS = 5
# Value of `?sort=`, label, sort key. The users that are safest to delete come first.
_SORTS = (
    ("oldest", gettext_lazy("Oldest first"), lambda place: place.user.registered_at),
    ("unseen", gettext_lazy("Longest unseen first"), lambda place: _last_seen(place)),
    ("id", gettext_lazy("By id"), lambda place: place.user.user_id),
)


def _last_seen(place: Held) -> Any:
    seen = place.user.last_seen_at
    return (seen is not None, seen or place.user.registered_at)


@require_safe
@in_environment(Permission.VIEW)
def quota(request: MemberRequest, environment: Environment) -> HttpResponse:
    now = timezone.now()
    usage = quotas.usage(environment=environment, now=now)
    context: dict[str, Any] = {
        "usage": usage,
        "full_in": timedelta(days=usage.full_in_days) if usage.full_in_days else None,
    }
    if environment.is_development:
        context |= {
            "reclaim_form": ReclaimForm(),
            "jobs": _recent_jobs(environment),
            "rules": lease_rules.of(environment),
            "deleted_lately": _deleted_lately(environment, now),
        }
        context |= explained(environment, usage, now)
        context |= (
            _plan(request, environment, now)
            if "free" in request.GET
            else _places(request, environment, now)
        )
    searched = request.htmx and request.htmx.target == "places"  # type: ignore[attr-defined]
    fragment = (
        "console/quota/_places.html"
        if searched and "places" in context
        else "console/quota/_quota.html"
    )
    return responses.shown(request, "console/quota/index.html", context, fragment=fragment)


def _recent_jobs(environment: Environment) -> list[DeletionJob]:
    jobs = environment.deletion_jobs.order_by("-pk").annotate(users=Count("items"))
    return list(jobs[:RECENT_JOBS])


def _deleted_lately(environment: Environment, now: datetime) -> list[tuple[DeletedUser, str]]:
    """Each with the reason why the deletion cannot be undone, or ""."""
    deleted = undo.lately(environment=environment, now=now, most=FREE_USER_LIMIT)
    refused = undo.refusals(environment=environment, deleted=deleted, now=now, together=False)
    return [(each, refused[each.pk].value if each.pk in refused else "") for each in deleted]


def _plan(request: MemberRequest, environment: Environment, now: datetime) -> dict[str, Any]:
    form = ReclaimForm(request.GET)
    if not form.is_valid():
        return {"reclaim_form": form, **_places(request, environment, now)}
    wanted = form.cleaned_data["free"]
    plan = reclaim.plan(
        environment=environment, wanted=wanted, now=now, prefix=form.cleaned_data["among"]
    )
    return {
        "reclaim_form": form,
        "plan": plan.candidates,
        "passed_over": plan.passed_over,
        "wanted": wanted,
        "short": wanted - len(plan.candidates),
        "missed": sum(candidate.may_be_missed for candidate in plan.candidates),
        "among": form.cleaned_data["among"],
    }


def _places(request: MemberRequest, environment: Environment, now: datetime) -> dict[str, Any]:
    prefix = request.GET.get("q", "").strip()
    impossible = bool(prefix) and not identity.is_prefix(prefix)
    taken = [] if impossible else places.taken(environment=environment, now=now, prefix=prefix)
    registered = places.by_registration(taken)
    seen = places.by_last_seen(taken)
    chosen = [
        ("registered", gettext("Registered"), registered, request.GET.get("registered", "")),
        ("seen", gettext("Last seen"), seen, request.GET.get("seen", "")),
        (
            "maker",
            gettext("Registered by"),
            _named(places.by_maker(taken)),
            request.GET.get("maker", ""),
        ),
        ("kept", gettext("Kept"), places.by_keeping(taken), request.GET.get("kept", "")),
    ]
    found = [
        place
        for place in taken
        if all(word in ("", getattr(place, name)) for name, _, _, word in chosen)
    ]
    sort, _, key = next((row for row in _SORTS if row[0] == request.GET.get("sort")), _SORTS[0])
    return {
        "places": sorted(found, key=key),
        "prefix": prefix,
        "impossible": impossible,
        "groups": [
            (label, _linked(request, name, groups, word)) for name, label, groups, word in chosen
        ]
        + [
            (
                gettext("How ids begin"),
                _linked(
                    request,
                    "q",
                    places.by_prefix(place.user.user_id for place in taken),
                    prefix,
                ),
            )
        ],
        "filters": _filters(request, chosen, prefix),
        "sorts": [(word, label, word == sort) for word, label, _ in _SORTS],
    }


def _named(makers: Sequence[Group]) -> list[Group]:
    """The same groups, with app keys as pages write them."""
    return [replace(group, label=words.actor(group.label)) for group in makers]


def _filter_url(request: MemberRequest, **changes: str) -> str:
    """This page with other filters. An empty word removes a filter."""
    query = {**request.GET.dict(), **changes}
    return "?" + urlencode({name: word for name, word in query.items() if word})


def _linked(
    request: MemberRequest, name: str, groups: Sequence[Group], chosen: str
) -> list[dict[str, Any]]:
    """Bars that filter the table. The bar of the current filter removes it."""
    return [
        {
            "label": group.label,
            "count": group.count,
            "current": group.word == chosen,
            "url": _filter_url(request, **{name: "" if group.word == chosen else group.word}),
        }
        for group in groups
    ]


def _filters(
    request: MemberRequest, chosen: Sequence[tuple[str, str, list[Group], str]], prefix: str
) -> list[dict[str, str]]:
    filters = [
        {"label": label, "value": group.label, "url": _filter_url(request, **{name: ""})}
        for name, label, groups, word in chosen
        for group in groups
        if group.word == word
    ]
    if prefix:
        url = _filter_url(request, q="")
        filters.append({"label": gettext("Id begins with"), "value": prefix, "url": url})
    return filters
