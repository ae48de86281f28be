"""The page "Why?", and the same answers as JSON.

A POST asks as well as a GET: an access token must not get into an address, which browsers and
servers keep. Whatever is no token is redirected to its own address, for a colleague to open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from applications.access import Permission, applications_entered_by
from applications.call_evidence import find_call, of_call, of_delivery
from applications.evidence import Answer, State, Step, of_app_key
from applications.models import AuditEvent, Environment
from console import responses
from console.access import Access, MemberRequest, in_environment
from console.audit import sentences
from console.links import page_url
from console.why.mends import Mend, mend_of
from console.why.subjects import Kind, Subject, delivery_of, request_of, subject_of
from moderation import evidence, pair_evidence

asked_methods = require_http_methods(["GET", "HEAD", "POST"])
LABELS = {
    Kind.PAIR: gettext_lazy("two users"),
    Kind.TOKEN: gettext_lazy("an access token"),
    Kind.APP_KEY: gettext_lazy("an app key"),
    Kind.DELIVERY: gettext_lazy("a webhook delivery"),
    Kind.REQUEST: gettext_lazy("a request id"),
    Kind.USER: gettext_lazy("a user id"),
}


@dataclass(frozen=True)
class Row:
    """A step with its button."""

    step: Step
    mend: Mend | None
    allowed: bool
    needs: str
    decides: bool


@asked_methods
@in_environment(Permission.VIEW)
def why(request: MemberRequest, environment: Environment) -> HttpResponse:
    subject = _subject(request, environment)
    by_htmx = bool(request.htmx)  # type: ignore[attr-defined]
    here = _address(environment, subject)
    if request.method == "POST" and subject and not subject.is_secret and not by_htmx:
        return redirect(here)
    now = timezone.now()
    answers = _answers(environment, subject, request, now) if subject else []
    context = {
        "subject": subject,
        "here": here,
        "kind": LABELS.get(subject.kind, "") if subject else "",
        "others": [
            {"label": LABELS[kind], "url": _address(environment, subject, wanted=kind)}
            for kind in (subject.others if subject else ())
        ],
        "answers": [(answer, _rows(environment, answer, request.access)) for answer in answers],
        "lines": sentences.lines(_lines(environment, subject)),
        "address_burst": settings.GATEWAY_CONNECT_BURST,
        "address_rate": settings.GATEWAY_CONNECT_RATE,
        "about_connecting": subject is not None and subject.kind in {Kind.USER, Kind.TOKEN},
    }
    response = responses.shown(
        request, "console/why/index.html", context, fragment="console/why/_answer.html"
    )
    if by_htmx and subject and not subject.is_secret:
        response["HX-Push-Url"] = here
    return response


@asked_methods
@in_environment(Permission.VIEW)
def why_json(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The answer for support tools: the fields are those of `applications.evidence`."""
    subject = _subject(request, environment)
    if subject is None:
        error = "Pass q: a user id, an access token, an app key, a request id or a delivery id."
        return JsonResponse({"error": error}, status=422)
    now = timezone.now()
    answers = _answers(environment, subject, request, now)
    return JsonResponse(
        {
            "environment": environment.full_name,
            "asked_at": now.isoformat(),
            "subject": {
                "kind": subject.kind,
                "could_also_be": list(subject.others),
                **({} if subject.is_secret else {"text": subject.text}),
                **({"recipient": subject.recipient} if subject.recipient else {}),
            },
            "answers": [_answer_as_json(environment, answer) for answer in answers],
            "lines": [
                {
                    "at": line.at.isoformat(),
                    "type": line.type,
                    "subject": line.subject,
                    "by": line.actor,
                    "via": line.via,
                }
                for line in _lines(environment, subject)
            ],
        }
    )


def _subject(request: MemberRequest, environment: Environment) -> Subject | None:
    given = request.POST if request.method == "POST" else request.GET
    if not given.get("q", "").strip():
        return None
    return subject_of(
        environment,
        request.user,
        given["q"],
        recipient=given.get("to", ""),
        wanted=given.get("as", ""),
    )


def _address(environment: Environment, subject: Subject | None, *, wanted: str = "") -> str:
    if subject is None or subject.is_secret:
        return page_url(environment, "why:index")
    query = {"q": subject.text, "to": subject.recipient, "as": wanted}
    return page_url(environment, "why:index", query=query)


def _answers(
    environment: Environment, subject: Subject, request: MemberRequest, now: datetime
) -> list[Answer]:
    here: dict[str, Any] = {"environment": environment, "now": now}
    match subject.kind:
        case Kind.PAIR:
            both = (subject.text, subject.recipient)
            return [
                pair_evidence.of_pair(**here, sender_id=sender, recipient_id=recipient)
                for sender, recipient in dict.fromkeys([both, both[::-1]])
            ]
        case Kind.TOKEN:
            return [evidence.of_token(**here, token=subject.text, nameable=_nameable(request))]
        case Kind.APP_KEY:
            return [of_app_key(**here, app_key=subject.text, nameable=_nameable(request))]
        case Kind.DELIVERY:
            delivery = delivery_of(environment, subject)
            return [of_delivery(delivery=delivery, now=now)] if delivery else []
        case Kind.REQUEST:
            call = find_call(environment, subject.text)
            return [of_call(call)] if call else []
        case Kind.USER:
            return [evidence.of_user(**here, user_id=subject.text)]
    return []


def _nameable(request: MemberRequest) -> set[int]:
    """The applications of which the member may know."""
    return set(applications_entered_by(request.user).values_list("pk", flat=True))


def _lines(environment: Environment, subject: Subject | None) -> list[AuditEvent]:
    if subject is None or subject.kind != Kind.REQUEST:
        return []
    return request_of(environment, subject)


def _rows(environment: Environment, answer: Answer, access: Access) -> list[Row]:
    rows, decided = [], False
    for step in answer.steps:
        decides = step.state == State.REFUSES and not decided
        decided = decided or decides
        mend = mend_of(environment, step)
        permission = (mend.permission if mend else Permission.VIEW).value
        rows.append(Row(step, mend, access.may[permission], access.needs[permission], decides))
    return rows


def _answer_as_json(environment: Environment, answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "allowed": answer.allowed,
        "rule": answer.rule,
        "summary": answer.summary,
        "remedy": answer.remedy,
        "steps": [
            {
                "rule": step.rule,
                "title": step.title,
                "state": step.state,
                "explanation": step.explanation,
                "facts": {
                    label: value.isoformat() if isinstance(value, datetime) else value
                    for label, value in step.facts.items()
                },
                "mend": _mend_as_json(mend_of(environment, step)),
            }
            for step in answer.steps
        ],
    }


def _mend_as_json(mend: Mend | None) -> dict[str, Any] | None:
    if mend is None:
        return None
    return {"label": mend.label, "url": mend.url, "needs": mend.permission.value}
