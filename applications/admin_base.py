"""The base of all Django admin pages. They are for support: they find one record among millions
and show it.

Invariants
----------
* A page adds, changes or deletes only by a verb of the domain: nobody can bypass a law here.
* Lists cost the same at any size: newest first by primary key, counted up to
  `counting.EXACT_UP_TO`, searched through indexes.
* Only the filters that a page offers work: with a hand-made URL, somebody could otherwise guess a
  hidden column letter by letter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join

from applications import counting
from applications.audit import Actor
from applications.models import AuditEvent, Environment
from applications.requests import acting_staff

# Rows that one action may select.
MOST_AT_ONCE = 500


# Rows of a section of a record's page.
SECTION = 20


def console_url(name: str, environment: Environment, *rest: Any) -> str | None:
    """A page of the environment in the console; None without the console."""
    try:
        return reverse(name, args=[environment.application.org_name, environment.kind, *rest])
    except NoReverseMatch:
        return None


def section(lines: Iterable[tuple[str, object]]) -> str:
    """Lines of (URL or "", text) as a list, for a read-only field."""
    found = [
        format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)
        for url, text in lines
    ]
    if not found:
        return "none"
    return format_html(
        '<ul class="support-lines">{}</ul>',
        format_html_join("", "<li>{}</li>", ((line,) for line in found)),
    )


def timeline(environment: Environment, subject: str) -> str:
    """The newest lines of the audit trail about a user, as a section."""
    lines = AuditEvent.objects.filter(environment=environment, subject=subject).order_by("-pk")
    return section(
        (
            reverse("admin:applications_auditevent_change", args=[line.pk]),
            f"{_exact(line.at)} {line.type} by {line.actor}, via {line.via}",
        )
        for line in lines[:SECTION]
    )


def _exact(moment: datetime) -> str:
    return formats.date_format(moment, "DATETIME_FORMAT")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Paginates the first `counting.EXACT_UP_TO` rows; `is_cut_off` if there are more."""

    @cached_property
    def _counted(self) -> counting.Count:
        return counting.count(self.object_list)  # type: ignore[arg-type]

    @property
    def is_cut_off(self) -> bool:
        return not self._counted.exact

    @cached_property
    def count(self) -> int:
        return min(self._counted.value, counting.EXACT_UP_TO)


class _MoreThan(int):
    """A lower bound that is printed as one where Django's templates offer to select all rows."""

    def __str__(self) -> str:
        return str(counting.bounded(self + 1, at=int(self)))


class SupportChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.paginator.is_cut_off:
            self.result_count = _MoreThan(self.result_count)
        # If both counts are equal, Django shows no second one next to the search field.
        self.full_result_count = self.result_count


class SupportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read-only. `search_path` is the lookup of the environment, `search_ids` are columns of user
    ids.
    """

    search_path = "environment"
    search_ids: Sequence[str] = ()
    # A verb's exception → message; "": the exception's own text.
    refusals: dict[type[Exception], str] = {}

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count all rows
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    list_select_related: ClassVar[Any] = ("environment__application",)
    view_on_site: Any = False  # or a method: the record's page in the console
    search_help_text = "App key, start of a user id, or both"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def holds(self, request: HttpRequest, permission: str) -> bool:
        """Whether the account has Django's own permission: "add", "change" or "delete"."""
        options = self.opts
        return bool(request.user.has_perm(f"{options.app_label}.{permission}_{options.model_name}"))

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        return SupportChangeList

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's "delete selected": the console deletes several in a job."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        offered = self.get_list_filter(request)
        names = {getattr(each, "parameter_name", each) for each in offered}
        return lookup.removesuffix("__exact") in names

    # --- Search ---

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        # They only make the search field appear; `get_search_results` does not use them.
        return (self.search_path, *self.search_ids) if self.search_path else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each word is an app key or the start of a user id."""
        words = search_term.split()
        if not words or not self.search_path:
            return queryset, False
        named = Environment.objects.filter(app_key__in=words)
        app_keys = dict(named.values_list("app_key", "pk"))
        # Indexes on user ids start with the environment: without an app key, list all environments.
        environments = list(app_keys.values()) or Environment.objects.values("pk")
        found = queryset.filter(**{f"{self.search_path}__in": environments})
        for word in words:
            if word not in app_keys:
                found = found.filter(self._starts_with(word)) if self.search_ids else found.none()
        return found, False

    def _starts_with(self, word: str) -> Q:
        matches = Q()
        for column in self.search_ids:
            # DEL is the last ASCII character; the index serves a range over bytes.
            matches |= Q(**{f"{column}__gte": word, f"{column}__lt": word + "\x7f"})
        return matches

    # --- Changes ---

    def actor_and_time(self, request: HttpRequest) -> tuple[Actor, datetime]:
        """`by` and `now` of a verb."""
        return acting_staff(request, via="admin"), timezone.now()

    def selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The rows of an action; none, and a message, if there are too many."""
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            text = f"At most {MOST_AT_ONCE} at once. Nothing has been done."
            self.message_user(request, text, messages.ERROR)
            return []
        return rows

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_refused(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_refused(super().delete_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_refused(super().changelist_view, request, *args, **kwargs)

    def _unless_refused(self, view: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The view's response. If the domain refuses, the page again with the reason; the verb's
        transaction is rolled back.
        """
        try:
            return view(request, *args, **kwargs)
        except tuple(self.refusals) as error:
            text = self.refusals[type(error)] or str(error)
            self.message_user(request, text, messages.ERROR)
            return redirect(request.get_full_path())
