"""App key, app secrets, rate limits, and revoking all access tokens."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from applications import app_secrets, environments
from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from applications.vendors import vendors
from console import responses
from console.access import MemberRequest, in_environment
from console.keys.forms import RateLimitsForm
from console.links import page_url
from users import tokens


@require_safe
@in_environment(Permission.VIEW)
def keys(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@in_environment(Permission.MANAGE_APPLICATION)
def secret_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The response shows the new secret. A redirect could not, because the text is not kept."""
    if request.method != "POST":
        return redirect(_home(environment))
    try:
        new = app_secrets.add(environment=environment, by=acting_staff(request), now=timezone.now())
    except app_secrets.TooManySecrets:
        message = "Two secrets are already live. Revoke one before you add another."
        return responses.moved(request, message, to=_home(environment), tone="error")
    return _page(request, environment, new=new, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def secret_revoke(request: MemberRequest, environment: Environment, secret_id: int) -> HttpResponse:
    """Asks for the secret's last four characters, because it is easy to pick the wrong one."""
    secret = get_object_or_404(environment.secrets, pk=secret_id)
    stale = _not_revocable(environment, secret_id)
    if stale:
        return responses.moved(request, stale, to=_home(environment), tone="error")
    context = {
        "title": f"Revoke the secret …{secret.hint}",
        "secret": secret,
    }
    if request.method != "POST":
        return responses.dialog(request, "console/keys/_revoke.html", context)
    if request.POST.get("confirm", "").strip() != secret.hint:
        context["error"] = f"That is not {secret.hint}. Nothing was revoked."
        return responses.dialog(request, "console/keys/_revoke.html", context, status=422)
    try:
        app_secrets.revoke(
            environment=environment,
            secret_id=secret_id,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except (app_secrets.SecretGone, app_secrets.LastSecret):
        message = "Somebody else has changed the secrets. Nothing was revoked."
        return responses.moved(request, message, to=_home(environment), tone="error")
    return responses.moved(request, f"The secret …{secret.hint} is revoked.", to=_home(environment))


def _not_revocable(environment: Environment, secret_id: int) -> str:
    live = list(environment.secrets.live().values_list("pk", flat=True))
    if secret_id not in live:
        return "This secret is already revoked."
    return "" if len(live) > 1 else "The only live secret cannot be revoked. Add another one first."


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def tokens_revoke_all(request: MemberRequest, environment: Environment) -> HttpResponse:
    phrase = environment.full_name
    context = {
        "title": "Revoke all access tokens",
        "phrase": phrase,
    }
    if request.method != "POST":
        return responses.dialog(request, "console/keys/_revoke_tokens.html", context)
    if request.POST.get("confirm", "").strip() != phrase:
        context["error"] = f"That is not {phrase}. Nothing was revoked."
        return responses.dialog(request, "console/keys/_revoke_tokens.html", context, status=422)
    tokens.revoke_all(environment=environment, by=acting_staff(request), now=timezone.now())
    return responses.moved(
        request, "All access tokens of this environment are revoked.", to=_home(environment)
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
    return responses.moved(request, "The rate limits are saved.", to=_home(environment))


def _page(
    request: MemberRequest,
    environment: Environment,
    *,
    new: app_secrets.NewSecret | None = None,
    rates: RateLimitsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    live = list(environment.secrets.live().order_by("pk"))
    context = {
        "secrets": live,
        "new": new,
        "host": request.build_absolute_uri("/").rstrip("/"),
        "can_add": len(live) < app_secrets.MAX_LIVE_SECRETS,
        "can_revoke": len(live) > 1,
        "rates": rates or RateLimitsForm(environment=environment),
        "documented": vendors(),
    }
    return render(request, "console/keys/index.html", context, status=status)


def _home(environment: Environment) -> str:
    return page_url(environment, "keys:index")
