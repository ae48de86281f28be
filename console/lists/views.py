"""The Lists page: blocklists and allowlists, by owner or by listed user."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.forms import MAX_AT_ONCE
from console.identities import get_identities, id_or_count
from console.links import came_from, page_url
from console.lists.forms import BrowseForm, EntriesForm
from console.templatetags.words import said, sentence
from moderation import lists
from moderation.models import ListEntry
from users import identity

KINDS = {"blocklist": lists.blocklist, "allowlist": lists.allowlist}


def _kind(request: MemberRequest) -> str:
    kind = request.GET.get("list", "")
    return kind if kind in KINDS else "blocklist"


@require_safe
@in_environment(Permission.VIEW)
def list_browse(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _browse(request, environment, EntriesForm())


def _browse(
    request: MemberRequest,
    environment: Environment,
    entries_form: EntriesForm,
    *,
    status: int = 200,
) -> HttpResponse:
    """The page with the filters of the URL. A filter that is not a user id finds nothing."""
    kind = _kind(request)
    form = BrowseForm(request.GET)
    rows = KINDS[kind].model.objects.filter(environment=environment)
    if not form.is_valid():
        rows = rows.none()
    owner_id = form.cleaned_data.get("owner", "")
    listed_id = form.cleaned_data.get("listed", "")
    if owner_id:
        rows = rows.filter(owner_id=owner_id)
    if listed_id:
        rows = rows.filter(listed_id=listed_id)
    page = responses.page(request, of=rows, order=lists.NEWEST_FIRST)
    context = {
        "kind": kind,
        "form": form,
        "owner_id": owner_id,
        "listed_id": listed_id,
        "tabs": _tabs(environment, kind, owner_id, listed_id),
        "filters": _chips(environment, kind, owner_id, listed_id),
        "pages": page,
        "rows": _entry_rows(environment, page.rows, kind),
        "here": page_url(
            environment,
            "lists:index",
            query={"list": kind, "owner": owner_id, "listed": listed_id},
        ),
        "clear_url": page_url(environment, "lists:index", query={"list": kind}),
    }
    if owner_id:
        context |= _owner(environment, owner_id, kind) | {"entries_form": entries_form}
    return responses.shown(
        request,
        "console/lists/index.html",
        context,
        fragment="console/lists/_lists.html",
        status=status,
    )


def _entry_rows(
    environment: Environment, entries: Sequence[ListEntry], kind: str
) -> list[dict[str, Any]]:
    user_ids = {user_id for entry in entries for user_id in (entry.owner_id, entry.listed_id)}
    identities = get_identities(environment=environment, user_ids=user_ids)
    return [
        {
            "entry": entry,
            "owner": identities[entry.owner_id],
            "owner_url": page_url(
                environment, "lists:index", query={"list": kind, "owner": entry.owner_id}
            ),
            "listed": identities[entry.listed_id],
            "listed_url": page_url(environment, "users:detail", entry.listed_id),
            "remove_url": page_url(
                environment, "lists:remove", query={"list": kind, "owner": entry.owner_id}
            ),
        }
        for entry in entries
    ]


def _tabs(
    environment: Environment, current: str, owner_id: str, listed_id: str
) -> list[dict[str, Any]]:
    return [
        {
            "label": said(f"{kind.capitalize()}s"),
            "current": kind == current,
            "href": page_url(
                environment,
                "lists:index",
                query={"list": kind, "owner": owner_id, "listed": listed_id},
            ),
        }
        for kind in KINDS
    ]


def _chips(
    environment: Environment, kind: str, owner_id: str, listed_id: str
) -> list[dict[str, str]]:
    return [
        {
            "label": label,
            "value": value,
            "url": page_url(environment, "lists:index", query={"list": kind, **others}),
        }
        for label, value, others in (
            (said(f"{kind.capitalize()} of"), owner_id, {"listed": listed_id}),
            (gettext("Listed user"), listed_id, {"owner": owner_id}),
        )
        if value
    ]


def _owner(environment: Environment, owner_id: str, kind: str) -> dict[str, Any]:
    """The context about the owner of the list."""
    here = {"list": kind, "owner": owner_id}
    counts = {
        word: each.model.objects.of(environment, owner_id).count() for word, each in KINDS.items()
    }
    return {
        "owner": get_identities(environment=environment, user_ids=[owner_id])[owner_id],
        "counts": counts,
        "count": counts[kind],
        "most": lists.MAX_ENTRIES,
        "allowlist_on": bool(lists.allowlists_on(environment=environment, owner_ids=[owner_id])),
        "add_url": page_url(environment, "lists:add", query=here),
        "owner_remove_url": page_url(environment, "lists:remove", query=here),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MODERATE)
def list_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Add to the list that the URL names. A GET comes from reloading a form with errors."""
    kind, owner_id = _kind(request), request.GET.get("owner", "")
    back = page_url(environment, "lists:index", query={"list": kind, "owner": owner_id})
    if request.method != "POST":
        return redirect(back)
    # The undo of a removal has the ids in its URL.
    data = request.POST if "user_ids" in request.POST else {"user_ids": " ".join(_listed(request))}
    form = EntriesForm(data)
    if form.is_valid():
        try:
            added = KINDS[kind].add(
                environment=environment,
                owner_id=owner_id,
                listed_ids=form.cleaned_data["user_ids"],
                by=acting_staff(request),
                now=timezone.now(),
            )
        except (lists.ListFull, lists.ListsOneself) as error:
            form.add_error("user_ids", sentence(error))
        except identity.InvalidUserId as error:
            return responses.refused(request, sentence(error), back=back)
        else:
            message = _added_message(added, form.cleaned_data["user_ids"], owner_id, kind)
            undo = _undo(environment, "lists:remove", kind, owner_id, added)
            return responses.done(request, message, to=back, events=["lists-changed"], undo=undo)
    if data is not request.POST:
        return responses.refused(request, str(form.errors["user_ids"].as_text()), back=back)
    if not request.htmx:  # type: ignore[attr-defined]
        return _browse(request, environment, form, status=422)
    context = {
        "kind": kind,
        "owner_id": owner_id,
        "add_url": request.get_full_path(),
        "entries_form": form,
    }
    return render(request, "console/lists/_add.html", context, status=422)


def _added_message(added: list[str], wanted: list[str], owner_id: str, kind: str) -> str:
    if not added:
        return gettext("Nothing to add: already on {owner_id}'s {kind}").format(
            owner_id=owner_id, kind=said(kind)
        )
    rest = len(wanted) - len(added)
    text = (
        gettext("Added {whom} to {owner_id}'s {kind}; {rest} already on it")
        if rest
        else gettext("Added {whom} to {owner_id}'s {kind}")
    )
    return text.format(whom=id_or_count(added), owner_id=owner_id, kind=said(kind), rest=rest)


@require_POST
@in_environment(Permission.MODERATE)
def list_remove(request: MemberRequest, environment: Environment) -> HttpResponse:
    kind, owner_id = _kind(request), request.GET.get("owner", "")
    back = came_from(request, page_url(environment, "lists:index", query={"list": kind}))
    listed_ids = _listed(request)
    if not listed_ids:
        return responses.refused(
            request, gettext("No user is selected. Select the users to remove."), back=back
        )
    try:
        removed = KINDS[kind].remove(
            environment=environment,
            owner_id=owner_id,
            listed_ids=listed_ids,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    message = (
        gettext("Removed {whom} from {owner_id}'s {kind}").format(
            whom=id_or_count(removed), owner_id=owner_id, kind=said(kind)
        )
        if removed
        else gettext("Nothing to remove: no longer on {owner_id}'s {kind}").format(
            owner_id=owner_id, kind=said(kind)
        )
    )
    undo = _undo(environment, "lists:add", kind, owner_id, removed)
    return responses.done(request, message, to=back, events=["lists-changed"], undo=undo)


def _listed(request: MemberRequest) -> list[str]:
    """From the form, or from the URL if the POST is an undo."""
    return request.POST.getlist("listed") or request.GET.getlist("listed")


def _undo(
    environment: Environment, name: str, kind: str, owner_id: str, user_ids: list[str]
) -> str:
    if not user_ids or len(user_ids) > MAX_AT_ONCE:
        return ""
    return page_url(environment, name, query={"list": kind, "owner": owner_id, "listed": user_ids})


@require_POST
@in_environment(Permission.MODERATE)
def allowlist_switch(request: MemberRequest, environment: Environment) -> HttpResponse:
    """`owner` and `on` ("yes" or "no") come from the form, or for an undo from the URL."""
    back = came_from(request, page_url(environment, "lists:index", query={"list": "allowlist"}))
    data = request.POST if "owner" in request.POST else request.GET
    owner_id, on = data.get("owner", ""), data.get("on") == "yes"
    try:
        switched = lists.switch_allowlist(
            environment=environment,
            owner_ids=[owner_id],
            on=on,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except identity.InvalidUserId as error:
        return responses.refused(request, sentence(error), back=back)
    word = gettext("on") if on else gettext("off")
    opposite = {"owner": owner_id, "on": "no" if on else "yes"}
    undo = page_url(environment, "lists:switch", query=opposite) if switched else ""
    message = (
        gettext("Allowlist of {owner_id} switched {word}").format(owner_id=owner_id, word=word)
        if switched
        else gettext("The allowlist of {owner_id} was already {word}").format(
            owner_id=owner_id, word=word
        )
    )
    return responses.done(request, message, to=back, events=["lists-changed"], undo=undo)
