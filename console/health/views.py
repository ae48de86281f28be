"""The page Health: for staff of the installation (`is_staff`), because its figures are of all
applications. To others it does not exist.
"""

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from applications.supervised import cannot_stay_up
from applications.vendors import vendors
from console.health import charts
from moderation import conditions, figure_history, figures

MINUTES = 60
CALLS = 25


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise Http404
    now = timezone.now()
    try:
        works = figures.works(now=now)
    except Error:
        works = []
    rows = charts.calls(figures.read(now=now))
    titles = {vendor.name: vendor.title for vendor in vendors()}
    context = {
        "works": works,
        "cannot_stay_up": cannot_stay_up(),
        "wrong": conditions.wrong(timezone.now()),
        "groups": charts.groups(figure_history.lately(MINUTES + 1)),
        "calls": [(titles.get(row.vendor, row.vendor), row) for row in rows[:CALLS]],
        "further": max(len(rows) - CALLS, 0),
    }
    return render(request, "console/health/index.html", context)
