"""May A write to B? The gate's own answer, both ways."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications import answers
from applications.access import MemberRequest, Permission, in_environment
from applications.models import Environment
from moderation import gates
from moderation.forms import MayMessageForm
from moderation.views.addresses import address
from moderation.views.lists import KINDS


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
        "environment": environment,
        "access": request.access,
        "page": "list_browse",
        "may_message_form": form,
        "verdicts": verdicts,
        "verdict_links": [
            {
                "label": f"{kind.capitalize()} of {each['recipient']}",
                "url": address(
                    environment, "list_browse", query={"list": kind, "owner": each["recipient"]}
                ),
            }
            for each in verdicts
            for kind in KINDS
        ],
    }
    return answers.shown(
        request,
        "moderation/may_message.html",
        context,
        fragment="moderation/_may_message.html",
        status=422 if form.errors else 200,
    )
