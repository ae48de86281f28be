"""Lease rules, by the beginning of user ids."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from applications.access import Permission
from applications.models import Environment
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.quota.forms import LeaseRuleForm
from console.templatetags.words import sentence
from users import lease_rules, leases

CHANGED = ["lease-rules-changed"]


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_USERS)
def rule_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    back = page_url(environment, "quota:index")
    if not environment.is_development:
        return responses.refused(request, leases.LeasesInProduction(), back=back)
    form = LeaseRuleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            rule = lease_rules.add(
                environment=environment,
                prefix=form.cleaned_data["begins_with"],
                lasts=form.cleaned_data["lasts"],
                by=acting_staff(request),
                now=timezone.now(),
            )
        except leases.InvalidLease as error:
            form.add_error("lasts", sentence(error))
        except lease_rules.InvalidRule as error:
            form.add_error("begins_with", sentence(error))
        except lease_rules.TooManyRules as error:
            form.add_error(None, sentence(error))
        else:
            message = gettext("Users who register with {prefix}… get a lease from now on").format(
                prefix=rule.prefix
            )
            return responses.done(request, message, to=back, events=CHANGED)
    context: dict[str, Any] = {"title": gettext("Add a lease rule"), "form": form}
    return responses.dialog(
        request, "console/quota/_rule_add.html", context, status=422 if form.is_bound else 200
    )


@require_POST
@in_environment(Permission.MANAGE_USERS)
def rule_remove(request: MemberRequest, environment: Environment, rule_id: int) -> HttpResponse:
    back = page_url(environment, "quota:index")
    try:
        rule = lease_rules.remove(
            environment=environment, rule_id=rule_id, by=acting_staff(request), now=timezone.now()
        )
    except lease_rules.NoSuchRule:
        message = gettext("This rule was removed already")
        return responses.done(request, message, to=back, events=CHANGED, tone="error")
    message = gettext("Rule for {prefix}… removed. Leases that it gave stay").format(
        prefix=rule.prefix
    )
    return responses.done(request, message, to=back, events=CHANGED)
