"""Change the plan of production, in a dialog of its own because the plan limits registrations."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy

from applications import environments
from applications.access import Permission
from applications.models import FREE_USER_LIMIT, Environment, Plan
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.settings.views import form_methods
from console.templatetags.words import said, said_lazily
from users import presence, quota

LIMITS = {
    plan: format_lazy(gettext_lazy("at most {limit} users"), limit=FREE_USER_LIMIT)
    if plan == Plan.TRIAL
    else gettext_lazy("no limit")
    for plan in Plan
}


class PlanForm(forms.Form):
    plan = forms.ChoiceField(
        choices=[
            (plan.value, format_lazy("{}: {}", said_lazily(plan.label), limit))
            for plan, limit in LIMITS.items()
        ],
        widget=forms.RadioSelect,
    )
    confirm = forms.CharField(required=False, max_length=200)

    def __init__(self, data: Any = None, *, environment: Environment):
        self.environment = environment
        super().__init__(data, initial={"plan": environment.plan})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        lowers = lowers_limit(self.environment, cleaned.get("plan", ""))
        if lowers and cleaned.get("confirm") != self.environment.full_name:
            self.add_error(
                "confirm",
                gettext("Type {full_name} to confirm.").format(
                    full_name=self.environment.full_name
                ),
            )
        return cleaned


def lowers_limit(environment: Environment, plan: str) -> bool:
    return environment.plan != Plan.TRIAL and plan == Plan.TRIAL


@form_methods
@in_environment(Permission.MANAGE_APPLICATION)
def plan_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    """A dialog with figures. It asks for the environment's name if the new limit is lower."""
    home = page_url(environment, "settings:index")
    if environment.is_development:
        return responses.refused(request, environments.PlanNotAllowed(), back=home)
    form = PlanForm(request.POST if request.method == "POST" else None, environment=environment)
    if not form.is_valid():
        now = timezone.now()
        usage = quota.usage(environment=environment, now=now)
        context = {
            "title": gettext("Change the plan"),
            "form": form,
            "usage": usage,
            "online": presence.online_count(environment=environment, now=now),
            "limit": FREE_USER_LIMIT,
            "left": max(FREE_USER_LIMIT - usage.users.value, 0),
            "may_lower": lowers_limit(environment, Plan.TRIAL),
        }
        status = 422 if form.is_bound else 200
        return responses.dialog(request, "console/settings/_plan.html", context, status=status)
    plan = Plan(form.cleaned_data["plan"])
    environments.change(
        environment=environment, by=acting_staff(request), now=timezone.now(), plan=plan
    )
    return responses.moved(
        request,
        gettext("The plan is {plan}: {limit}.").format(plan=said(plan.label), limit=LIMITS[plan]),
        to=home,
    )
