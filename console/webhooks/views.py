"""Webhooks: endpoints, their events and delivery logs, and how to verify a request."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from applications import webhooks
from applications.access import Permission
from applications.announcements import EVENTS, EXAMPLES
from applications.keyset import Keyset
from applications.lazy_texts import gettext_lazy
from applications.models import Delivery, Environment, Webhook
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.templatetags.words import said
from console.webhooks.forms import WebhookForm

LOG_SIZE = 20
NEWEST_FIRST = Keyset("-id")
GONE = gettext_lazy("Somebody else has already removed this endpoint.")


@require_safe
@in_environment(Permission.VIEW)
def webhook_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    found = list(environment.webhooks.order_by("pk"))
    context = {
        "webhooks": [(each, webhooks.format_of(each).label) for each in found],
        "can_add": len(found) < webhooks.MAX_ENDPOINTS,
        "example": _example(environment),
        "vendor_formats": [each.label for each in webhooks.formats_of_vendors().values()],
    }
    return render(request, "console/webhooks/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The response is the new endpoint's page with its secret, which is not shown again."""
    format = _chosen_format(request, "standard")
    # A vendor's format has few events, so all are selected at first.
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
            secret = new.secret if webhooks.formats()[format].uses_webhook_secret else ""
            return detail_page(request, new.webhook, secret=secret, status=201)
    return _form(request, environment, form, format)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_change(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = find(environment, webhook_id)
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
            return gone(request, environment)
        else:
            return responses.moved(
                request, gettext("The endpoint is changed."), to=home_url(webhook)
            )
    return _form(request, environment, form, format, webhook)


@require_safe
@in_environment(Permission.VIEW)
def webhook_detail(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    return detail_page(request, find(environment, webhook_id))


def detail_page(
    request: MemberRequest, webhook: Webhook, *, secret: str = "", status: int = 200
) -> HttpResponse:
    format = webhooks.format_of(webhook)
    failed_only = request.GET.get("state") == Delivery.State.FAILED
    log = webhook.deliveries.all()
    if failed_only:
        log = log.filter(state=Delivery.State.FAILED)
    found = responses.page(request, of=log, order=NEWEST_FIRST, size=LOG_SIZE)
    context = {
        "webhook": webhook,
        "host": host_of(webhook),
        "format": format,
        "events": [(event, said(EVENTS[event])) for event in webhook.events],
        "secret": secret,
        "found": found,
        "log": [(each, _payload(each, webhook)) for each in found.rows],
        "failed_only": failed_only,
        "all_states": not failed_only,
        "log_url": home_url(webhook),
        "kept_for": webhook.environment.keep_deliveries,
    }
    return responses.shown(
        request,
        "console/webhooks/detail.html",
        context,
        fragment="console/webhooks/_log.html",
        status=status,
    )


def _payload(delivery: Delivery, webhook: Webhook) -> str:
    """The body of a delivery, as readable text."""
    delivery.webhook = webhook
    format = webhooks.format_of(webhook)
    if delivery.event not in format.events:
        return _indented(delivery.data)
    body = format.body(delivery)
    is_json = body.content_type == "application/json"
    return _indented(json.loads(body.text)) if is_json else body.text


def _example(environment: Environment) -> str:
    """A sample payload."""
    event = "user.banned"
    delivery = Delivery(event=event, data=EXAMPLES[event], occurred_at=timezone.now())
    return _payload(delivery, Webhook(environment=environment))


def _indented(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)


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
        "uses_webhook_secret": webhooks.formats()[format].uses_webhook_secret,
        "back": home_url(webhook) if webhook else list_url(environment),
    }
    status = 422 if form.errors else 200
    return render(request, "console/webhooks/form.html", context, status=status)


def _chosen_format(request: MemberRequest, otherwise: str) -> str:
    name = request.POST.get("format") or request.GET.get("format") or otherwise
    return name if name in webhooks.formats() else otherwise


def _field(invalid: webhooks.InvalidEndpoint) -> str | None:
    """The form field of the error, or None: the format has no field, only tabs."""
    return invalid.field if invalid.field in WebhookForm.base_fields else None


def find(environment: Environment, webhook_id: int) -> Webhook:
    webhook: Webhook = get_object_or_404(environment.webhooks, pk=webhook_id)
    webhook.environment = environment
    return webhook


def gone(request: MemberRequest, environment: Environment) -> HttpResponse:
    return responses.moved(request, GONE, to=list_url(environment), tone="error")


def host_of(webhook: Webhook) -> str:
    return urlsplit(webhook.url).netloc


def list_url(environment: Environment) -> str:
    return page_url(environment, "webhooks:index")


def home_url(webhook: Webhook) -> str:
    return page_url(webhook.environment, "webhooks:detail", webhook.pk)
