"""An environment's plan and times, and the application's name."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from applications import answers, environments
from applications.access import MemberRequest, Permission, in_environment
from applications.audit import Actor
from applications.models import Environment, Plan
from console.forms import RenameForm, SettingsForm


@require_safe
@in_environment(Permission.VIEW)
def settings(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def settings_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":  # back from signing in again
        return redirect(_address(environment))
    form = SettingsForm(request.POST, initial=_initial(environment), environment=environment)
    if form.is_valid():
        try:
            environments.change(
                environment=environment,
                plan=Plan(form.cleaned_data["plan"]),
                token_lifetime=form.cleaned_data["token_lifetime"],
                reactivation_cooling_off=form.cleaned_data["reactivation_cooling_off"],
                by=Actor.staff(request),
                now=timezone.now(),
            )
        except environments.InvalidSetting as error:
            form.add_error(None, str(error))
        else:
            return answers.moved(request, "The settings are saved.", to=_address(environment))
    return _page(request, environment, form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def application_rename(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":
        return redirect(_address(environment))
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _page(request, environment, rename=form, status=422)
    environments.rename(
        application=environment.application,
        name=form.cleaned_data["name"],
        by=Actor.staff(request),
        now=timezone.now(),
    )
    return answers.moved(request, "The application is renamed.", to=_address(environment))


def _page(
    request: MemberRequest,
    environment: Environment,
    *,
    form: SettingsForm | None = None,
    rename: RenameForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "environment": environment,
        "access": request.access,
        "page": "settings",
        "form": form or SettingsForm(initial=_initial(environment), environment=environment),
        "rename": rename or RenameForm(initial={"name": environment.application.name}),
    }
    return render(request, "console/settings.html", context, status=status)


def _initial(environment: Environment) -> dict[str, Any]:
    return {
        "plan": environment.plan,
        "token_lifetime": environment.token_lifetime,
        "reactivation_cooling_off": environment.reactivation_cooling_off,
    }


def _address(environment: Environment) -> str:
    return reverse("settings", args=[environment.application.org_name, environment.kind])
