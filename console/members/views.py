"""The members of the application, and what each role may do."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from applications import members, second_factors
from applications.access import Permission, permissions
from applications.keyset import Keyset
from applications.lazy_texts import gettext_lazy
from applications.models import Environment, Member, Role
from applications.requests import acting_staff
from console import responses
from console.access import MemberRequest, in_environment
from console.links import page_url
from console.members.forms import NewMemberForm, RoleForm
from console.templatetags.words import said

OLDEST_FIRST = Keyset("id")
LAST_OWNER = gettext_lazy(
    "An application needs at least one owner. Make somebody else an owner first."
)
OF_GROUPS = gettext_lazy("This role follows groups of the identity provider. Change it there.")
OWN_FIRST = gettext_lazy("Set up a second factor for your own account first.")
GONE = gettext_lazy("Somebody else has already removed this member.")


@require_safe
@in_environment(Permission.VIEW)
def member_list(request: MemberRequest, environment: Environment) -> HttpResponse:
    return _page(request, environment)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_MEMBERS)
def member_add(request: MemberRequest, environment: Environment) -> HttpResponse:
    """For a new account, the response shows the invitation link, because no link is stored."""
    if request.method != "POST":
        return redirect(_home(environment))
    form = NewMemberForm(request.POST)
    if not form.is_valid():
        return _page(request, environment, form=form, status=422)
    try:
        member, invited = members.add(
            application=environment.application,
            username=form.cleaned_data["username"],
            role=Role(form.cleaned_data["role"]),
            by=acting_staff(request),
            now=timezone.now(),
        )
    except members.AlreadyMember:
        form.add_error(
            "username", gettext("This account is already a member. You can change its role above.")
        )
        return _page(request, environment, form=form, status=422)
    if invited:
        return _invite(request, environment, member.pk)
    message = gettext("{account} is now {role} of {application}.").format(
        account=member.account,
        role=_with_article(member.role),
        application=environment.application,
    )
    return responses.moved(request, message, to=_home(environment))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_MEMBERS)
def member_invite(request: MemberRequest, environment: Environment, member_id: int) -> HttpResponse:
    """A new invitation, if the first one was lost or has expired."""
    if request.method != "POST":
        return redirect(_home(environment))
    return _invite(request, environment, member_id)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_MEMBERS)
def member_change(request: MemberRequest, environment: Environment, member_id: int) -> HttpResponse:
    if request.method != "POST":
        return redirect(_home(environment))
    form = RoleForm(request.POST)
    if not form.is_valid():
        return responses.moved(
            request, gettext("There is no such role."), to=_home(environment), tone="error"
        )
    try:
        members.change_role(
            application=environment.application,
            member_id=member_id,
            role=Role(form.cleaned_data["role"]),
            by=acting_staff(request),
            now=timezone.now(),
        )
    except members.LastOwner:
        return responses.moved(request, LAST_OWNER, to=_home(environment), tone="error")
    except members.RoleOfGroups:
        return responses.moved(request, OF_GROUPS, to=_home(environment), tone="error")
    except members.NotMember:
        return responses.moved(request, GONE, to=_home(environment), tone="error")
    return responses.moved(request, gettext("The role is changed."), to=_home(environment))


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_MEMBERS)
def member_remove(request: MemberRequest, environment: Environment, member_id: int) -> HttpResponse:
    application = environment.application
    member = Member.objects.filter(application=application, pk=member_id).first()
    if member is None:
        return responses.moved(request, GONE, to=_home(environment), tone="error")
    if request.method != "POST":
        context = {
            "title": gettext("Remove {account}").format(account=member.account),
            "member": member,
        }
        return responses.dialog(request, "console/members/_remove.html", context)
    try:
        members.remove(
            application=application,
            member_id=member_id,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except members.LastOwner:
        return responses.moved(request, LAST_OWNER, to=_home(environment), tone="error")
    except members.NotMember:
        return responses.moved(request, GONE, to=_home(environment), tone="error")
    message = gettext("{account} is no longer a member of {application}.").format(
        account=member.account, application=application
    )
    to = "overview:index" if member.account == request.user else _home(environment)
    return responses.moved(request, message, to=to)


@require_http_methods(["GET", "HEAD", "POST"])
@in_environment(Permission.MANAGE_MEMBERS)
def second_factor_change(request: MemberRequest, environment: Environment) -> HttpResponse:
    """Require a second factor of all members, or no longer."""
    if request.method != "POST":
        return redirect(_home(environment))
    required = request.POST.get("required") == "yes"
    try:
        second_factors.require(
            application=environment.application,
            required=required,
            account=request.user,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except second_factors.OwnFactorMissing:
        return responses.moved(request, OWN_FIRST, to=_home(environment), tone="error")
    message = (
        gettext("A second factor is required now.")
        if required
        else gettext("No second factor is required.")
    )
    return responses.moved(request, message, to=_home(environment))


def _invite(request: MemberRequest, environment: Environment, member_id: int) -> HttpResponse:
    try:
        token = members.invite(
            application=environment.application,
            member_id=member_id,
            by=acting_staff(request),
            now=timezone.now(),
        )
    except members.NotMember:
        return responses.moved(request, GONE, to=_home(environment), tone="error")
    except members.NotInvitable:
        message = gettext("This account has a password or is a member of other applications.")
        return responses.moved(request, message, to=_home(environment), tone="error")
    account = get_object_or_404(Member.objects.select_related("account"), pk=member_id).account
    link = reverse(
        "accept_invitation", args=[urlsafe_base64_encode(force_bytes(account.pk)), token]
    )
    invitation = {
        "username": account.get_username(),
        "link": request.build_absolute_uri(link),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    return _page(request, environment, invitation=invitation, status=201)


def _page(
    request: MemberRequest,
    environment: Environment,
    *,
    form: NewMemberForm | None = None,
    invitation: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    of = environment.application.members.select_related("account").annotate(
        has_second_factor=Exists(second_factors.of(OuterRef("account")))
    )
    found = responses.page(request, of=of, order=OLDEST_FIRST)
    context = {
        "found": found,
        "form": form or NewMemberForm(),
        "invitation": invitation,
        "provider": settings.OIDC.name if settings.OIDC else gettext("your identity provider"),
        "roles": Role.choices,
        "matrix": matrix(),
    }
    return render(request, "console/members/index.html", context, status=status)


def matrix() -> list[dict[str, Any]]:
    """Where each role has each permission: "both", "development" or ""."""
    kinds = Environment.Kind.values
    rows = []
    for permission in Permission:
        cells = []
        for role in Role:
            granted = [kind for kind in kinds if permission in permissions(role, kind)]
            cells.append("both" if len(granted) == len(kinds) else "".join(granted))
        rows.append({"permission": permission, "cells": cells})
    return rows


def _with_article(role: str) -> str:
    return said(f"{'an' if role[0] in 'aeiou' else 'a'} {role}")


def _home(environment: Environment) -> str:
    return page_url(environment, "members:index")
