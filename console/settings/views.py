"""An environment's settings, the application's name and vendors, and the lock on deletion."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import environments
from applications.access import Permission
from applications.counting import count
from applications.models import Environment
from applications.requests import acting_staff
from applications.vendors import InvalidSetting, vendors
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.settings import wide
from console.settings.forms import DoorsForm, RenameForm, SettingsForm, UnlockForm
from console.settings.wide import Wide
from users import presence
from users.models import AppUser

form_methods = require_http_methods(["GET", "HEAD", "POST"])
NO_LOCK = gettext_lazy("In development, the API may always delete users")


@require_safe
@in_environment(Permission.VIEW)
def settings(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment)


@form_methods
@in_environment(Permission.MANAGE_APPLICATION)
def settings_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":  # the redirect after signing in again
        return redirect(_home(environment))
    form = SettingsForm(request.POST, environment=environment)
    if form.is_valid():
        changes, now = form.changes(), timezone.now()
        asked = wide.friends_only(environment, changes, now=now)
        if asked and not wide.is_confirmed(request, asked):
            return _page(request, environment, form=form, wide_settings=asked, status=422)
        try:
            environments.change(
                environment=environment, by=acting_staff(request), now=now, **changes
            )
        except InvalidSetting as error:
            form.add_error(error.name, str(error))
        else:
            return responses.moved(
                request, gettext("The settings are saved."), to=_home(environment)
            )
    return _page(request, environment, form=form, status=422)


@form_methods
@in_environment(Permission.MANAGE_APPLICATION)
def doors_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":
        return redirect(_home(environment))
    form = DoorsForm(request.POST, application=environment.application)
    form.full_clean()  # checkboxes have no errors
    asked = wide.closed_doors(environment.application, form.names())
    if asked and not wide.is_confirmed(request, asked):
        return _page(request, environment, doors=form, wide_doors=asked, status=422)
    environments.enable_vendors(
        application=environment.application,
        names=form.names(),
        by=acting_staff(request),
        now=timezone.now(),
    )
    return responses.moved(request, gettext("The vendors are saved."), to=_home(environment))


@form_methods
@in_environment(Permission.LIFT_LOCKS)
def deletion_unlock(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Asks for the environment's name, because deletion in production cannot be undone."""
    if environment.is_development:
        return responses.refused(request, NO_LOCK, back=_home(environment))
    phrase, now = environment.full_name, timezone.now()
    form = UnlockForm(request.POST if request.method == "POST" else None)
    context = {
        "title": gettext("Unlock deletion by API"),
        "form": form,
        "phrase": phrase,
        "users": count(AppUser.objects.filter(environment=environment)),
        "online": presence.online_count(environment=environment, now=now),
        "secrets": environment.secrets.live().count(),
    }
    if request.method != "POST":
        return responses.dialog(request, "console/settings/_unlock_deletion.html", context)
    if request.POST.get("confirm", "").strip() != phrase:
        context["error"] = gettext("That is not {phrase}. Deletion stays locked.").format(
            phrase=phrase
        )
    if "error" in context or not form.is_valid():
        return responses.dialog(
            request, "console/settings/_unlock_deletion.html", context, status=422
        )
    unlocked = environments.unlock_deletion(
        environment=environment,
        lasting=form.cleaned_data["lasting"],
        by=acting_staff(request),
        now=now,
    )
    until = f"{unlocked.deletion_unlocked_until:%Y-%m-%d %H:%M} UTC"
    message = gettext("The API may delete users until {until}.").format(until=until)
    return responses.moved(request, message, to=_home(environment))


@require_POST
@in_environment(Permission.LIFT_LOCKS)
def deletion_lock(request: MemberRequest, environment: Environment) -> HttpResponse:
    if environment.is_development:
        return responses.refused(request, NO_LOCK, back=_home(environment))
    environments.unlock_deletion(
        environment=environment,
        lasting=timedelta(0),
        by=acting_staff(request),
        now=timezone.now(),
    )
    return responses.moved(request, gettext("Deletion by API is locked."), to=_home(environment))


@form_methods
@in_environment(Permission.MANAGE_APPLICATION)
def application_rename(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":
        return redirect(_home(environment))
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _page(request, environment, rename=form, status=422)
    try:
        environments.rename(
            application=environment.application,
            name=form.cleaned_data["name"],
            by=acting_staff(request),
            now=timezone.now(),
        )
    except environments.InvalidName as error:
        form.add_error("name", str(error))
        return _page(request, environment, rename=form, status=422)
    return responses.moved(request, gettext("The application is renamed."), to=_home(environment))


def _page(
    request: MemberRequest,
    environment: Environment,
    *,
    form: SettingsForm | None = None,
    rename: RenameForm | None = None,
    doors: DoorsForm | None = None,
    wide_settings: Wide | None = None,
    wide_doors: Wide | None = None,
    status: int = 200,
) -> HttpResponse:
    application, unlocked_until = environment.application, environment.deletion_unlocked_until
    context = {
        "form": form or SettingsForm(environment=environment),
        "rename": rename or RenameForm(initial={"name": application.name}),
        "doors": doors or DoorsForm(application=application),
        "wide_settings": wide_settings,
        "wide_doors": wide_doors,
        "deleting": [vendor.title for vendor in vendors() if vendor.deletes_in_production],
        "unlocked_until": unlocked_until
        if unlocked_until is not None and unlocked_until > timezone.now()
        else None,
    }
    return render(request, "console/settings/index.html", context, status=status)


def _home(environment: Environment) -> str:
    return page_url(environment, "settings:index")
