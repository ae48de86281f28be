"""Actions on one endpoint: test, replay, rotate secrets, disable, enable, remove."""

from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from applications import deliveries, webhooks
from applications.access import Permission
from applications.lazy_texts import gettext_lazy
from applications.models import Environment, Webhook
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, View, in_environment
from console.webhooks.views import detail_page, find, gone, home_url, host_of, list_url

CHANGED = "deliveries-changed"
DISABLED = gettext_lazy("The endpoint is disabled. Nothing was sent. Enable it first.")


def leads_to_list_if_gone(view: View) -> View:
    """Redirect to the list where somebody else removed the endpoint during the request."""

    @wraps(view)
    def handled(
        request: MemberRequest, environment: Environment, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            return view(request, environment, *args, **kwargs)
        except webhooks.WebhookGone:
            return gone(request, environment)

    return handled


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
def webhook_test(request: MemberRequest, environment: Environment, webhook_id: int) -> HttpResponse:
    webhook = find(environment, webhook_id)
    try:
        deliveries.send_test(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except deliveries.EndpointDisabled:
        return responses.done(request, DISABLED, to=home_url(webhook), tone="error")
    message = gettext("A test event is being sent. The deliveries below show the result.")
    return responses.done(request, message, to=home_url(webhook), events=[CHANGED])


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
def delivery_replay(
    request: MemberRequest, environment: Environment, webhook_id: int, delivery_id: int
) -> HttpResponse:
    webhook = find(environment, webhook_id)
    delivery = webhook.deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        message = gettext("This delivery was removed: deliveries are kept for {days} days.").format(
            days=environment.keep_deliveries.days
        )
        return responses.done(
            request, message, to=home_url(webhook), tone="error", events=[CHANGED]
        )
    delivery.webhook = webhook
    try:
        deliveries.replay(delivery=delivery, by=acting_staff(request), now=timezone.now())
    except deliveries.EndpointDisabled:
        return responses.done(request, DISABLED, to=home_url(webhook), tone="error")
    message = gettext("{event} is being sent again.").format(event=delivery.event)
    return responses.done(request, message, to=home_url(webhook), events=[CHANGED])


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
@leads_to_list_if_gone
def webhook_rotate(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    """The response shows the new secret, as in `webhook_add`."""
    webhook = find(environment, webhook_id)
    if request.method != "POST":
        return redirect(home_url(webhook))
    try:
        text = webhooks.rotate_secret(webhook=webhook, by=acting_staff(request), now=timezone.now())
    except webhooks.TooManySecrets:
        message = gettext(
            "Two secrets are already in use. Retire the former one before you add another."
        )
        return responses.moved(request, message, to=home_url(webhook), tone="error")
    webhook.refresh_from_db()
    return detail_page(request, webhook, secret=text, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
@leads_to_list_if_gone
def webhook_retire_secret(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = find(environment, webhook_id)
    if not webhook.former_secret:
        message = gettext("The former secret is already retired.")
        return responses.moved(request, message, to=home_url(webhook), tone="error")
    if request.method != "POST":
        return _dialog(request, webhook, "_retire.html", gettext("Retire the former secret"))
    webhooks.retire_former_secret(webhook=webhook, by=acting_staff(request), now=timezone.now())
    return responses.moved(request, gettext("The former secret is retired."), to=home_url(webhook))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
@leads_to_list_if_gone
def webhook_disable(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = find(environment, webhook_id)
    if request.method != "POST":
        return _dialog(request, webhook, "_disable.html", gettext("Disable the endpoint"))
    by = acting_staff(request)
    webhooks.disable(webhook=webhook, reason=f"By {by}"[:100], by=by, now=timezone.now())
    return responses.moved(request, gettext("The endpoint is disabled."), to=home_url(webhook))


@require_POST
@in_environment(Permission.MANAGE_APPLICATION)
@leads_to_list_if_gone
def webhook_enable(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    webhook = find(environment, webhook_id)
    webhooks.enable(webhook=webhook, by=acting_staff(request), now=timezone.now())
    return responses.moved(request, gettext("The endpoint is enabled."), to=home_url(webhook))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_APPLICATION)
@leads_to_list_if_gone
def webhook_remove(
    request: MemberRequest, environment: Environment, webhook_id: int
) -> HttpResponse:
    """Asks for the host name, because the log and the secrets cannot be restored."""
    webhook = find(environment, webhook_id)
    title, fragment = gettext("Remove the endpoint"), "_remove.html"
    if request.method != "POST":
        return _dialog(request, webhook, fragment, title)
    if request.POST.get("confirm", "").strip() != host_of(webhook):
        error = gettext("That is not {host}. Nothing was removed.").format(host=host_of(webhook))
        return _dialog(request, webhook, fragment, title, error=error, status=422)
    webhooks.remove(webhook=webhook, by=acting_staff(request), now=timezone.now())
    return responses.moved(request, gettext("The endpoint is removed."), to=list_url(environment))


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
        "host": host_of(webhook),
        "has_waiting": webhook.deliveries.waiting().exists(),
        "back": home_url(webhook),
        "error": error,
    }
    return responses.dialog(request, f"console/webhooks/{fragment}", context, status=status)
