"""May A write to B? The answer of `moderation.gates`, in both directions."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.access import Permission
from applications.models import Environment
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.lists.forms import MayMessageForm
from console.lists.views import KINDS
from moderation import gates


@require_safe
@in_environment(Permission.VIEW)
def may_message(request: MemberRequest, environment: Environment) -> HttpResponse:
    form = MayMessageForm(request.GET or None)
    verdicts = []
    now = timezone.now()
    if form.is_valid():
        one, other = form.cleaned_data["sender"], form.cleaned_data["recipient"]
        verdicts = [
            {
                "sender": sender,
                "recipient": recipient,
                "verdict": gates.may_message(
                    environment=environment, sender_id=sender, recipient_id=recipient, now=now
                ),
            }
            for sender, recipient in dict.fromkeys([(one, other), (other, one)])
        ]
    context = {
        "may_message_form": form,
        "verdicts": verdicts,
        "verdict_links": [
            {
                "label": f"{kind.capitalize()} of {each['recipient']}",
                "url": page_url(
                    environment, "lists:index", query={"list": kind, "owner": each["recipient"]}
                ),
            }
            for each in verdicts
            for kind in KINDS
        ],
    }
    return responses.shown(
        request,
        "console/lists/may_message.html",
        context,
        fragment="console/lists/_may_message.html",
        status=422 if form.errors else 200,
    )
