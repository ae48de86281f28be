"""Register test users from the console, in development only."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import sentence
from console.users.forms import RegisterForm
from users import registration
from users.leases import InvalidLease
from users.quota import QuotaExceeded
from users.spelling import TakenInAnotherCase

SAMPLES = 20
WHY_NOT_IN_PRODUCTION = gettext_lazy(
    "Test users exist in development only. Your app server registers users here"
)


def _list_of(environment: Environment) -> str:
    return page_url(environment, "users:index")


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_USERS)
def user_register(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The form, and then the user's first access token, which is shown only once."""
    if not environment.is_development:
        return responses.refused(request, WHY_NOT_IN_PRODUCTION, back=_list_of(environment))
    initial = {"user_id": request.GET.get("user_id", "")}
    form = RegisterForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            made = registration.register_by_staff(
                environment=environment,
                user_id=form.cleaned_data["user_id"],
                name=form.cleaned_data["name"],
                lease=form.cleaned_data["lease"],
                by=acting_staff(request),
                now=timezone.now(),
            )
        except registration.AlreadyRegistered:
            form.add_error("user_id", gettext("This id is already registered."))
        except registration.UserDeactivated:
            form.add_error(
                "user_id",
                gettext("This id is deactivated. Your app server must reactivate it first."),
            )
        except InvalidLease as error:
            form.add_error("lease", sentence(error))
        except TakenInAnotherCase as error:
            form.add_error("user_id", sentence(error))
        except QuotaExceeded as error:
            form.add_error(None, str(error))
        else:
            return _registered(request, environment, made)
    context: dict[str, Any] = {
        "title": gettext("Register a test user"),
        "form": form,
    }
    return responses.dialog(
        request, "console/users/_register.html", context, status=422 if form.is_bound else 200
    )


def _registered(
    request: MemberRequest, environment: Environment, made: registration.Registration
) -> HttpResponse:
    context = {
        "title": gettext("{user_id} is registered").format(user_id=made.user_id),
        "made": made,
    }
    response = responses.dialog(request, "console/users/_registered.html", context)
    response["HX-Trigger"] = "users-changed"
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@in_environment(Permission.MANAGE_USERS)
def samples_load(request: MemberRequest, environment: Environment) -> HttpResponse:
    if not environment.is_development:
        return responses.refused(request, WHY_NOT_IN_PRODUCTION, back=_list_of(environment))
    count = registration.load_samples(
        environment=environment, count=SAMPLES, by=acting_staff(request), now=timezone.now()
    )
    message = (
        ngettext("{count} sample user registered", "{count} sample users registered", count).format(
            count=count
        )
        if count
        else gettext(
            "No sample user was registered: all are already registered, or no place is free"
        )
    )
    return responses.done(request, message, to=_list_of(environment), events=["users-changed"])
