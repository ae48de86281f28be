"""What all pages of Django admin have in common. They are for support: they find a record among
millions and show it.

Invariants
----------
* Nothing is added, changed or deleted unless a page says how, and then by a verb of the domain:
  no law of it can be walked around here, whoever signs in.
* Lists cost the same at any size: newest first by primary key, counted no further than
  `counting.EXACT_UP_TO`, searched through indexes.
* Only what a page offers as a filter is filtered by: an address made up by hand could otherwise
  guess a hidden column letter by letter.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import cached_property

from applications import counting
from applications.audit import Actor
from applications.models import Environment
from applications.requests import acting_staff

# So many rows may be ticked for one action.
MOST_AT_ONCE = 500


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through the first `counting.EXACT_UP_TO` rows; `is_cut_off` when there are more."""

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
    """A bound that prints itself as one, where Django's templates offer to tick all rows."""

    def __str__(self) -> str:
        return str(counting.bounded(self + 1, at=int(self)))


class SupportChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.paginator.is_cut_off:
            self.result_count = _MoreThan(self.result_count)
        # Equal counts hide a second, exact-looking one beside the search field.
        self.full_result_count = self.result_count


class SupportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Reads. `search_path` leads to the environment, `search_ids` are columns that name users."""

    search_path = "environment"
    search_ids: Sequence[str] = ()
    # A verb's refusals → what to say; the reason that the error itself gives goes before.
    refusals: dict[type[Exception], str] = {}

    paginator = BoundedPaginator
    show_full_result_count = False
    ordering = ("-pk",)
    sortable_by = ()
    list_per_page = 50
    list_max_show_all = 50
    list_select_related: ClassVar[Any] = ("environment__application",)
    view_on_site = False
    search_help_text = "App key, beginning of a user id, or both"

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
        """Without Django's own "delete selected": deleting several is a job of the console's."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup.removesuffix("__exact") in self.get_list_filter(request)

    # --- Search ---

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        # Only makes the field appear; `get_search_results` does not read them.
        return (self.search_path, *self.search_ids) if self.search_path else ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Words are app keys, and beginnings of user ids."""
        words = search_term.split()
        if not words or not self.search_path:
            return queryset, False
        named = Environment.objects.filter(app_key__in=words)
        app_keys = dict(named.values_list("app_key", "pk"))
        # Indexes on user ids begin with the environment: without one, all of them are named.
        environments = list(app_keys.values()) or Environment.objects.values("pk")
        found = queryset.filter(**{f"{self.search_path}__in": environments})
        for word in words:
            if word not in app_keys:
                found = found.filter(self._begins(word)) if self.search_ids else found.none()
        return found, False

    def _begins(self, word: str) -> Q:
        matches = Q()
        for column in self.search_ids:
            # DEL is the last ASCII character; a range over bytes is served by the index.
            matches |= Q(**{f"{column}__gte": word, f"{column}__lt": word + "\x7f"})
        return matches

    # --- Changes ---

    def said_by(self, request: HttpRequest) -> tuple[Actor, datetime]:
        """Who acts, and when."""
        return acting_staff(request, via="admin"), timezone.now()

    def ticked(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The rows of an action; none, and a message, when there are too many."""
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
        """The view's answer; or where the domain refuses, the page anew and why. The verb's own
        transaction has undone all.
        """
        try:
            return view(request, *args, **kwargs)
        except tuple(self.refusals) as error:
            text = self.refusals[type(error)] or str(error)
            self.message_user(request, text, messages.ERROR)
            return redirect(request.get_full_path())
