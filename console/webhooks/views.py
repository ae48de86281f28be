"""Webhooks: endpoints, what each hears of, its delivery log, and how to verify what arrives."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import deliveries, webhooks
from applications.access import Permission
from applications.announcements import EVENTS, EXAMPLES
from applications.keyset import Keyset
from applications.models import Delivery, Environment, Webhook
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.webhooks.forms import WebhookForm

LOG_SIZE = 20
NEWEST_FIRST = Keyset("-id")
CHANGED = "deliveries-changed"
GONE = "Somebody else has removed this endpoint meanwhile."
DISABLED = "The endpoint is disabled. Enable it first; nothing was sent."


@require_safe
@in_environment(Permission.VIEW)
def webhook_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    found = list(environment.webhooks.order_by("pk"))
    context = {
        "webhooks": [(each, webhooks.format_of(each).label) for each in found],
        "can_add": len(found) < webhooks.MAX_ENDPOINTS,
        "most": webhooks.MAX_ENDPOINTS,
        "example": _example(environment),
        "vendor_formats": [each.label for each in webhooks.formats_of_vendors().values()],
    }
    return render(request, "console/webhooks/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The new endpoint's page is the answer itself: nothing keeps the secret's text."""
    format = _chosen_format(request, "standard")
    # A vendor's callbacks are few: whoever chooses its format wants them.
    initial = {"events": webhooks.formats()[format].events} if format != "standard" else {}
    form = WebhookForm(request.POST or None, format=format, initial=initial)
    if form.is_valid():
        try:
            new = webhooks.add(
                environment=environment,
                **form.cleaned_data,
                format=format,
                by=acting_staff(request),
                now=timezone.now(),
            )
        except webhooks.InvalidEndpoint as invalid:
            form.add_error(_field(invalid), str(invalid))
        else:
            secret = new.secret if webhooks.formats()[format].has_own_secret else ""
            return _detail(request, new.webhook, secret=secret, status=201)
    return _form(request, environment, form, format)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_change(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    format = _chosen_format(request, webhook.format)
    initial = {"url": webhook.url, "events": webhook.events}
    form = WebhookForm(request.POST or None, format=format, initial=initial)
    if form.is_valid():
        try:
            webhooks.change(
                webhook=webhook,
                **form.cleaned_data,
                format=format,
                by=acting_staff(request),
                now=timezone.now(),
            )
        except webhooks.InvalidEndpoint as invalid:
            form.add_error(_field(invalid), str(invalid))
        except webhooks.WebhookGone:
            return _gone(request, environment)
        else:
            return responses.moved(request, "The endpoint is changed.", to=_home(webhook))
    return _form(request, environment, form, format, webhook)


@require_safe
@in_environment(Permission.VIEW)
def webhook_detail(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    return _detail(request, _webhook(environment, webhook_id))


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_test(request: MemberRequest, environment: Environment, webhook_id: int) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    try:
        deliveries.send_test(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except deliveries.EndpointDisabled:
        return responses.done(request, DISABLED, to=_home(webhook), tone="error")
    message = "A test event is on its way. See below how it goes."
    return responses.done(request, message, to=_home(webhook), events=[CHANGED])


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
def delivery_replay(
    request: MemberRequest, environment: Environment, webhook_id: int, delivery_id: int
) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    delivery = webhook.deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        message = (
            f"This delivery is no longer kept: the log ends after {deliveries.KEPT_FOR.days} days."
        )
        return responses.done(request, message, to=_home(webhook), tone="error", events=[CHANGED])
    delivery.webhook = webhook
    try:
        deliveries.replay(delivery=delivery, by=acting_staff(request), now=timezone.now())
    except deliveries.EndpointDisabled:
        return responses.done(request, DISABLED, to=_home(webhook), tone="error")
    message = f"{delivery.event} is on its way again."
    return responses.done(request, message, to=_home(webhook), events=[CHANGED])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_rotate(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    """Shows the new secret in its own answer, as `webhook_add` does."""
    webhook = _webhook(environment, webhook_id)
    if request.method != "POST":
        return redirect(_home(webhook))
    try:
        text = webhooks.rotate_secret(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except webhooks.TooManySecrets:
        message = "Two secrets sign already. Retire the former one before you add another."
        return responses.moved(request, message, to=_home(webhook), tone="error")
    except webhooks.WebhookGone:
        return _gone(request, environment)
    webhook.refresh_from_db()
    return _detail(request, webhook, secret=text, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_retire_secret(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    if not webhook.former_secret:
        message = "The former secret is retired already."
        return responses.moved(request, message, to=_home(webhook), tone="error")
    if request.method != "POST":
        return _dialog(request, webhook, "_retire.html", "Retire the former secret")
    try:
        webhooks.retire_former_secret(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except webhooks.WebhookGone:
        return _gone(request, environment)
    return responses.moved(request, "The former secret signs no more.", to=_home(webhook))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_disable(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    if request.method != "POST":
        return _dialog(request, webhook, "_disable.html", "Disable the endpoint")
    by = acting_staff(request)
    try:
        webhooks.disable(webhook=webhook, reason=f"By {by}"[:100], by=by, now=timezone.now())
    except webhooks.WebhookGone:
        return _gone(request, environment)
    return responses.moved(request, "The endpoint is disabled.", to=_home(webhook))


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_enable(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = _webhook(environment, webhook_id)
    try:
        webhooks.enable(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except webhooks.WebhookGone:
        return _gone(request, environment)
    return responses.moved(request, "The endpoint hears of events again.", to=_home(webhook))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_remove(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    """Asks for the host's name: the log and the secrets cannot be had back."""
    webhook = _webhook(environment, webhook_id)
    title, fragment = "Remove the endpoint", "_remove.html"
    if request.method != "POST":
        return _dialog(request, webhook, fragment, title)
    if request.POST.get("confirm", "").strip() != _host(webhook):
        error = f"That is not {_host(webhook)}. Nothing was removed."
        return _dialog(request, webhook, fragment, title, error=error, status=422)
    try:
        webhooks.remove(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except webhooks.WebhookGone:
        return _gone(request, environment)
    return responses.moved(request, "The endpoint is removed.", to=_all(environment))


def _detail(
    request: MemberRequest, webhook: Webhook, *, secret: str = "", status: int = 200
) -> HttpResponse:
    format = webhooks.format_of(webhook)
    lost_only = request.GET.get("state") == Delivery.State.FAILED
    log = webhook.deliveries.all()
    if lost_only:
        log = log.filter(state=Delivery.State.FAILED)
    found = responses.page(request, of=log, order=NEWEST_FIRST, size=LOG_SIZE)
    context = {
        "webhook": webhook,
        "host": _host(webhook),
        "format": format,
        "events": [(event, EVENTS[event]) for event in webhook.events],
        "secret": secret,
        "found": found,
        "log": [(each, _payload(each, webhook)) for each in found.rows],
        "lost_only": lost_only,
        "everything": not lost_only,
        "log_url": _home(webhook),
        "kept_for": deliveries.KEPT_FOR,
    }
    return responses.shown(
        request,
        "console/webhooks/detail.html",
        context,
        fragment="console/webhooks/_log.html",
        status=status,
    )


def _payload(delivery: Delivery, webhook: Webhook) -> str:
    """What is sent, to be read by people."""
    delivery.webhook = webhook
    format = webhooks.format_of(webhook)
    if delivery.event not in format.events:
        return _indented(delivery.data)
    body = format.body(delivery)
    is_json = body.content_type == "application/json"
    return _indented(json.loads(body.text)) if is_json else body.text


def _example(environment: Environment) -> str:
    """A payload for somebody who has none yet."""
    event = "user.banned"
    delivery = Delivery(event=event, data=EXAMPLES[event], occurred_at=timezone.now())
    return _payload(delivery, Webhook(environment=environment))


def _indented(said: Any) -> str:
    return json.dumps(said, indent=2, ensure_ascii=False)


def _form(
    request: MemberRequest,
    environment: Environment,
    form: WebhookForm,
    format: str,
    webhook: Webhook | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "webhook": webhook,
        "format": format,
        "formats": [
            {"label": each.label, "url": f"?format={name}", "current": name == format}
            for name, each in webhooks.formats().items()
        ],
        "has_own_secret": webhooks.formats()[format].has_own_secret,
        "back": _home(webhook) if webhook else _all(environment),
    }
    status = 422 if form.errors else 200
    return render(request, "console/webhooks/form.html", context, status=status)


def _dialog(
    request: MemberRequest,
    webhook: Webhook,
    fragment: str,
    title: str,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "webhook": webhook,
        "title": title,
        "host": _host(webhook),
        "has_waiting": webhook.deliveries.waiting().exists(),
        "back": _home(webhook),
        "error": error,
    }
    return responses.dialog(request, f"console/webhooks/{fragment}", context, status=status)


def _chosen_format(request: MemberRequest, otherwise: str) -> str:
    said = request.POST.get("format") or request.GET.get("format") or otherwise
    return said if said in webhooks.formats() else otherwise


def _field(invalid: webhooks.InvalidEndpoint) -> str | None:
    """The form has no field for its format: that is chosen by its tabs."""
    return invalid.field if invalid.field in WebhookForm.base_fields else None


def _webhook(environment: Environment, webhook_id: int) -> Webhook:
    webhook: Webhook = get_object_or_404(environment.webhooks, pk=webhook_id)
    webhook.environment = environment
    return webhook


def _gone(request: MemberRequest, environment: Environment) -> HttpResponse:
    return responses.moved(request, GONE, to=_all(environment), tone="error")


def _host(webhook: Webhook) -> str:
    return urlsplit(webhook.url).netloc


def _all(environment: Environment) -> str:
    return page_url(environment, "webhooks:index")


def _home(webhook: Webhook) -> str:
    return page_url(webhook.environment, "webhooks:detail", webhook.pk)
