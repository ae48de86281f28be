"""All applications of the signed-in account, and the form that creates one."""

from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from applications import environments, second_factors
from applications.access import applications_of
from applications.counting import EXACT_UP_TO, BoundedCount, bounded
from applications.keyset import Keyset
from applications.models import Application, AuditEvent, Environment, Plan
from applications.requests import acting_staff
from console import responses
from console.overview.forms import NewApplicationForm
from moderation.models import Ban
from users.models import AppUser, Connection

BY_NAME = Keyset("name", "org_name")
PAGE_SIZE = 20
# The page shows a search field from this number of applications on.
SEARCH_FROM = 6


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    mine = applications_of(request.user).annotate(
        role=F("members__role"), has_second_factor=Exists(second_factors.of(request.user))
    )
    if wanted:
        mine = mine.filter(Q(name__icontains=wanted) | Q(org_name__icontains=wanted))
    page = responses.page(request, of=mine, order=BY_NAME, size=PAGE_SIZE)
    context = {
        "page": page,
        "wanted": wanted,
        "applications": _with_environments(page.rows),
        "searchable": bool(wanted or page.previous or len(page.rows) >= SEARCH_FROM),
    }
    return responses.shown(
        request,
        "console/overview/index.html",
        context,
        fragment="console/overview/_applications.html",
    )


def _with_environments(applications: list[Application]) -> list[dict[str, Any]]:
    """Each application with its environments and their figures, in one query for all."""
    figures: dict[int, list[Environment]] = {application.pk: [] for application in applications}
    entered = [each for each in applications if not is_closed(each)]
    shown = Environment.objects.filter(application__in=entered)
    for environment in measured(shown, now=timezone.now()):
        for name in ("registered", "banned", "online"):
            setattr(environment, name, bounded(getattr(environment, name), at=EXACT_UP_TO))
        figures[environment.application_id].append(environment)
    return [
        {
            "application": application,
            "environments": figures[application.pk],
            "closed": is_closed(application),
        }
        for application in applications
    ]


def is_closed(application: Any) -> bool:
    """Whether a second factor is required that the member does not have."""
    return bool(application.second_factor_required and not application.has_second_factor)


def measured(found: QuerySet[Environment], *, now: datetime) -> QuerySet[Any]:
    """Environments with the figures of their cards; counts up to one more than `EXACT_UP_TO`."""
    here = {"environment": OuterRef("pk")}
    bound = EXACT_UP_TO + 1
    # Counts go in the order of an index. Otherwise PostgreSQL reads the table from its start, and
    # for a small environment beside a large one to its end.
    users = AppUser.objects.filter(**here).order_by("user_id")
    banned = Ban.objects.in_force(now).filter(**here).order_by("ends_at", "pk")
    online = Connection.objects.open(now).filter(**here).order_by().values("user_id").distinct()
    return (
        found.select_related("application")
        .annotate(
            registered=BoundedCount(users.values("pk")[:bound]),
            banned=BoundedCount(banned.values("pk")[:bound]),
            online=BoundedCount(online[:bound]),
            last_activity=Subquery(
                AuditEvent.objects.filter(**here).order_by("-at", "-id").values("at")[:1],
                output_field=DateTimeField(),
            ),
        )
        .order_by("application", "kind")
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def application_create(request: HttpRequest) -> HttpResponse:
    """The form; then, only once, the new keys and secrets."""
    form = NewApplicationForm(request.POST or None, account=request.user)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "console/overview/create.html", {"form": form}, status=status)
    made = environments.create_application(
        name=form.cleaned_data["name"],
        plan=Plan(form.cleaned_data["plan"]),
        owner=request.user,
        by=acting_staff(request),
        now=timezone.now(),
    )
    context = {
        "application": made.application,
        "keys": [
            {"environment": environment, "secret": made.secret_texts[kind]}
            for kind, environment in made.environments.items()
        ],
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "console/overview/created.html", context, status=201)
