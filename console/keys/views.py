"""App key, app secrets, rate limits, and revoking all access tokens."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from applications import app_secrets, environments
from applications.access import Permission
from applications.counting import count
from applications.models import Environment
from applications.requests import acting_staff
from applications.vendors import vendors
from console import responses
from console.access import MemberRequest, in_environment
from console.keys.forms import RateLimitsForm, SecretForm
from console.links import page_url
from users import presence, tokens
from users.models import AppUser


@require_safe
@in_environment(Permission.VIEW)
def keys(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def secret_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The response shows the new secret. A redirect could not, because the text is not kept."""
    now = timezone.now()
    form = SecretForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        context = {"title": gettext("Add a secret"), "form": form}
        status = 422 if form.is_bound else 200
        return responses.dialog(request, "console/keys/_add.html", context, status=status)
    try:
        new = app_secrets.add(
            environment=environment,
            name=form.cleaned_data["name"],
            others_end_at=form.others_end_at(now),
            by=acting_staff(request),
            now=now,
        )
    except app_secrets.TooManySecrets:
        message = gettext("Two secrets are already live. Revoke one before you add another.")
        return responses.moved(request, message, to=_home(environment), tone="error")
    return _page(request, environment, new=new, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def secret_roll_back(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Asks for the last four characters of the secret that is revoked."""
    now = timezone.now()
    both = app_secrets.to_roll_back(environment, now=now)
    if both is None:
        message = gettext("No secret is about to end. There is nothing to roll back.")
        return responses.moved(request, message, to=_home(environment), tone="error")
    old, new = both
    context = {
        "title": gettext("Roll back to …{hint}").format(hint=old.hint),
        "old": old,
        "new": new,
    }
    if request.method != "POST":
        return responses.dialog(request, "console/keys/_roll_back.html", context)
    if request.POST.get("confirm", "").strip() != new.hint:
        context["error"] = gettext("That is not {hint}. Nothing was changed.").format(hint=new.hint)
        return responses.dialog(request, "console/keys/_roll_back.html", context, status=422)
    try:
        kept = app_secrets.roll_back(environment=environment, by=acting_staff(request), now=now)
    except app_secrets.NothingToRollBack:
        message = gettext("Somebody else has changed the secrets. Nothing was rolled back.")
        return responses.moved(request, message, to=_home(environment), tone="error")
    message = gettext("The secret …{hint} stays, and …{hint2} is revoked.").format(
        hint=kept.hint, hint2=new.hint
    )
    return responses.moved(request, message, to=_home(environment))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def secret_revoke(request: MemberRequest, environment: Environment, secret_id: int) -> HttpResponse:
    """Asks for the secret's last four characters, because it is easy to pick the wrong one."""
    secret = get_object_or_404(environment.secrets, pk=secret_id)
    stale = _not_revocable(environment, secret_id)
    if stale:
        return responses.moved(request, stale, to=_home(environment), tone="error")
    context = {
        "title": gettext("Revoke the secret …{hint}").format(hint=secret.hint),
        "secret": secret,
    }
    if request.method != "POST":
        return responses.dialog(request, "console/keys/_revoke.html", context)
    if request.POST.get("confirm", "").strip() != secret.hint:
        context["error"] = gettext("That is not {hint}. Nothing was revoked.").format(
            hint=secret.hint
        )
        return responses.dialog(request, "console/keys/_revoke.html", context, status=422)
    try:
        app_secrets.revoke(
            environment=environment,
            secret_id=secret_id,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except (app_secrets.SecretGone, app_secrets.LastSecret):
        message = gettext("Somebody else has changed the secrets. Nothing was revoked.")
        return responses.moved(request, message, to=_home(environment), tone="error")
    return responses.moved(
        request,
        gettext("The secret …{hint} is revoked.").format(hint=secret.hint),
        to=_home(environment),
    )


def _not_revocable(environment: Environment, secret_id: int) -> str:
    accepted = list(environment.secrets.accepted(timezone.now()))
    secret = next((each for each in accepted if each.pk == secret_id), None)
    if secret is None:
        return gettext("This secret is already revoked or has ended.")
    if app_secrets.is_revocable(secret, accepted):
        return ""
    if len(accepted) == 1:
        return gettext("The only live secret cannot be revoked. Add another one first.")
    return gettext("The other secret is about to end. Roll back to it, or wait until it has ended.")


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def tokens_revoke_all(request: MemberRequest, environment: Environment) -> HttpResponse:
    phrase = environment.full_name
    context = {
        "title": gettext("Revoke all access tokens"),
        "phrase": phrase,
        "users": count(AppUser.objects.in_environment(environment)),
        "online": presence.online_count(environment=environment, now=timezone.now()),
    }
    if request.method != "POST":
        return responses.dialog(request, "console/keys/_revoke_tokens.html", context)
    if request.POST.get("confirm", "").strip() != phrase:
        context["error"] = gettext("That is not {phrase}. Nothing was revoked.").format(
            phrase=phrase
        )
        return responses.dialog(request, "console/keys/_revoke_tokens.html", context, status=422)
    tokens.revoke_all(environment=environment, by=acting_staff(request), now=timezone.now())
    return responses.moved(
        request,
        gettext("All access tokens of this environment are revoked."),
        to=_home(environment),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def rate_limits_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    if request.method != "POST":
        return redirect(_home(environment))
    form = RateLimitsForm(request.POST, environment=environment)
    if not form.is_valid():
        return _page(request, environment, rates=form, status=422)
    environments.change(
        environment=environment,
        vendor_settings=form.vendor_settings(),
        by=acting_staff(request),
        now=timezone.now(),
    )
    return responses.moved(request, gettext("The rate limits are saved."), to=_home(environment))


def _page(
    request: MemberRequest,
    environment: Environment,
    *,
    new: app_secrets.NewSecret | None = None,
    rates: RateLimitsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    live = list(environment.secrets.accepted(now).order_by("pk"))
    context = {
        "secrets": [(secret, app_secrets.is_revocable(secret, live)) for secret in live],
        "can_roll_back": app_secrets.to_roll_back(environment, now=now) is not None,
        "new": new,
        "host": request.build_absolute_uri("/").rstrip("/"),
        "can_add": len(live) < app_secrets.MAX_LIVE_SECRETS,
        "rates": rates or RateLimitsForm(environment=environment),
        "documented": vendors(),
    }
    return render(request, "console/keys/index.html", context, status=status)


def _home(environment: Environment) -> str:
    return page_url(environment, "keys:index")
