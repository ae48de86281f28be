"""How long the environment keeps what it has recorded, what is there, and what goes next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from applications import audit_cuts, environments, retention
from applications.access import Permission
from applications.counting import Count, count
from applications.models import AuditEvent, AuditSeal, Delivery, Environment
from applications.requests import acting_staff
from applications.retention import Kind
from applications.vendors import InvalidSetting
from console import responses
from console.access import MemberRequest, in_environment
from console.forms import SpanField
from console.links import page_url
from console.settings.views import form_methods
from moderation.models import Ban
from users.models import DeactivatedUser


class RetentionForm(forms.Form):
    """The fields have the names of the settings."""

    keep_audit = SpanField(
        label=gettext_lazy("Audit trail"),
        required=False,
        help_text=gettext_lazy(
            "Whole sealed minutes go, the oldest first, when all environments with a line in "
            "them let them go. At least 30 days. Empty: without end."
        ),
    )
    keep_bans = SpanField(
        label=gettext_lazy("Bans that are over"),
        required=False,
        help_text=gettext_lazy(
            "Lifted and expired bans with their changes. Bans in force stay. At least 30 "
            "days. Empty: without end."
        ),
    )
    keep_tombstones = SpanField(
        label=gettext_lazy("Tombstones of deactivated users"),
        required=False,
        help_text=gettext_lazy(
            "When a tombstone goes, its id may register again, as if your app server had "
            "reactivated it. At least 30 days. Empty: without end."
        ),
    )
    keep_deliveries = SpanField(
        label=gettext_lazy("Deliveries of webhooks"),
        help_text=gettext_lazy("Those that arrived or were given up. 1 day to a year."),
    )
    keep_requests = SpanField(
        label=gettext_lazy("Request log"),
        help_text=gettext_lazy("The calls on the page Requests. 1 hour to 7 days."),
    )

    def __init__(self, data: Any = None, *, environment: Environment):
        super().__init__(
            data, initial={kind.setting: kind.of(environment) for kind in retention.KINDS}
        )


@dataclass(frozen=True)
class Kept:
    """What there is of one kind: how many rows, the moment from which the oldest counts, when it
    goes (None: never, or there is none), and how many go with the next run.
    """

    label: str
    kept: timedelta | None
    number: Count
    oldest: datetime | None
    due: Count

    @property
    def goes_at(self) -> datetime | None:
        return None if self.kept is None or self.oldest is None else self.oldest + self.kept


def _kept(environment: Environment, now: datetime) -> Iterator[Kept]:
    """Without the request log, which has no rows. Of each kind several lists with an index each."""
    bans, finished = (
        Ban.objects.filter(environment=environment),
        Delivery.objects.exclude(finished_at=None),
    )
    rows: dict[Kind, tuple[str, list[QuerySet[Any]]]] = {
        retention.AUDIT: ("at", [AuditEvent.objects.filter(environment=environment)]),
        retention.BANS: (
            "closed_at",
            [bans.filter(outcome=each) for each in ("lifted", "expired")],
        ),
        retention.TOMBSTONES: (
            "deactivated_at",
            [DeactivatedUser.objects.filter(environment=environment)],
        ),
        retention.DELIVERIES: (
            "finished_at",
            [finished.filter(webhook=webhook) for webhook in environment.webhooks.all()],
        ),
    }
    for kind, (moment, lists) in rows.items():
        kept = kind.of(environment)
        order = "pk" if kind is retention.DELIVERIES else moment
        oldest = [found.order_by(order).values_list(moment, flat=True).first() for found in lists]
        yield Kept(
            label=str(RetentionForm.base_fields[kind.setting].label),
            kept=kept,
            number=_sum(count(found) for found in lists),
            oldest=min((each for each in oldest if each is not None), default=None),
            due=_sum(
                count(found.filter(**{f"{moment}__lte": now - kept}))
                for found in lists
                if kept is not None
            ),
        )


def _sum(counts: Iterable[Count]) -> Count:
    found = list(counts)
    return Count(
        sum(each.value for each in found),
        exact=all(each.exact for each in found),
        at_least=any(each.at_least for each in found),
    )


@require_safe
@in_environment(Permission.VIEW)
def settings_retention(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment, RetentionForm(environment=environment))


@form_methods
@in_environment(Permission.MANAGE_APPLICATION)
def retention_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    home = page_url(environment, "settings:retention")
    if request.method != "POST":  # the redirect after signing in again
        return redirect(home)
    form = RetentionForm(request.POST, environment=environment)
    if form.is_valid():
        try:
            environments.change(
                environment=environment,
                by=acting_staff(request),
                now=timezone.now(),
                **form.cleaned_data,
            )
        except InvalidSetting as error:
            form.add_error(error.name, str(error))
        else:
            return responses.moved(request, gettext("The times are saved."), to=home)
    return _page(request, environment, form, status=422)


def _page(
    request: MemberRequest, environment: Environment, form: RetentionForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "kept": list(_kept(environment, timezone.now())),
        "cut": audit_cuts.latest(),
        "oldest_seal": AuditSeal.objects.order_by("number").only("sealed_at").first(),
    }
    return render(request, "console/settings/retention.html", context, status=status)
