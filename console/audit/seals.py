"""The seals over the audit trail, and whether the lines are as they were sealed."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications import audit_cuts, audit_seals, audit_verification
from applications.access import Permission
from applications.audit_findings import Finding, Report
from applications.keyset import Keyset
from applications.models import AuditEvent, AuditSeal, Environment
from console import responses
from console.access import MemberRequest, in_environment

NEWEST_FIRST = Keyset(
    "-number",
)
# The page compares no more lines than this in one request; `manage.py verify_audit` compares all.
LINES_AT_MOST = 50_000


@require_safe
@in_environment(Permission.VIEW)
def seals(request: MemberRequest, environment: Environment) -> HttpResponse:
    """The seals of the installation, newest first. `?verify=1` compares those on the page."""
    found = responses.page(
        request, of=AuditSeal.objects.defer("line_hashes", "ids"), order=NEWEST_FIRST, size=60
    )
    report, compared = None, range(0)
    if request.GET.get("verify") and found.rows:
        compared = _comparable(found.rows)
        report = audit_verification.verify(numbers=compared)
    context = {
        "found": found,
        "health": audit_seals.seal_health(now=timezone.now()),
        "cut": audit_cuts.latest(),
        "report": report,
        "compared": compared,
        "faulty": {finding.seal for finding in report.findings} if report else set(),
        **(_findings(environment, report) if report else {}),
    }
    return responses.shown(
        request, "console/audit/seals.html", context, fragment="console/audit/_seals.html"
    )


def _comparable(rows: list[AuditSeal]) -> range:
    """The numbers of the newest of these seals, up to `LINES_AT_MOST` lines, at least one."""
    lines, last = 0, rows[0].number
    for seal in rows:
        lines += seal.lines
        if lines <= LINES_AT_MOST:
            last = seal.number
    return range(last, rows[0].number + 1)


def _findings(environment: Environment, report: Report) -> dict[str, object]:
    """What the members of an application may read: their own lines, and how many others there are.
    Nobody knows whose a removed line was.
    """
    numbers = {finding.line for finding in report.findings if finding.line is not None}
    theirs = AuditEvent.objects.filter(pk__in=numbers).exclude(
        application=environment.application_id
    )
    hidden = set(theirs.values_list("pk", flat=True))
    shown = [finding for finding in report.findings if finding.line not in hidden]
    linked = set(AuditEvent.objects.filter(pk__in=numbers - hidden).values_list("pk", flat=True))
    return {
        "findings": [(finding, _line_to_open(finding, linked)) for finding in shown],
        "elsewhere": len(report.findings) - len(shown),
    }


def _line_to_open(finding: Finding, existing: set[int]) -> int | None:
    return finding.line if finding.line in existing else None
