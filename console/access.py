"""The only way a page loads an environment from its URL.

Invariants
----------
* An environment of an application of which the account is not a member is 404, never 403: the
  response must not reveal that the environment exists.
* A page that the member's role does not allow is 403 and names the missing permission.
* Each page states its permission with `in_environment`. No other code loads an environment from
  a URL.
* An application that requires a second factor is entered only with one.
* Who manages an application, its members or its locks has signed in within ten minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext

from applications import second_factors
from applications.access import Permission, permissions, roles_with
from applications.models import Application, Environment, Member
from console.accounts import anew
from console.templatetags.words import said

View = Callable[..., HttpResponseBase]

# Pages with these permissions ask for signing in anew: secrets, webhooks, plan, members, locks.
ASK_TO_SIGN_IN_ANEW = {
    Permission.MANAGE_APPLICATION,
    Permission.MANAGE_MEMBERS,
    Permission.LIFT_LOCKS,
}


class SecondFactorNeeded(PermissionDenied):
    """The application requires a second factor, and the member has none."""

    def __init__(self, application: Application):
        self.application = application
        super().__init__(
            gettext(
                "{name} requires a second factor of all its members. Set up yours on the "
                "page of your account."
            ).format(name=application.name)
        )


@dataclass(frozen=True)
class Access:
    """What the signed-in member may do in this kind of environment. Templates read `access.may`
    and `access.needs`.
    """

    member: Member
    kind: str

    @cached_property
    def may(self) -> dict[str, bool]:
        granted = permissions(self.member.role, self.kind)
        return {permission.value: permission in granted for permission in Permission}

    @cached_property
    def needs(self) -> dict[str, str]:
        """For each permission, the roles that have it, as text for a disabled control."""
        return {
            permission.value: gettext("Needs role {names}").format(
                names=gettext(" or ").join(map(said, roles_with(permission, self.kind)))
            )
            for permission in Permission
        }

    def require(self, permission: Permission) -> None:
        if not self.may[permission.value]:
            raise PermissionDenied(
                gettext(
                    "Your role ({role}) does not include the permission to {permission} here. "
                    "{needs}."
                ).format(
                    role=said(self.member.role),
                    permission=said(permission.label),
                    needs=self.needs[permission.value],
                )
            )


class MemberRequest(HttpRequest):
    """A request that has passed one of the decorators below."""

    access: Access
    environment: Environment


def in_environment(permission: Permission) -> Callable[[View], View]:
    """Decorate a view so that its URL's (org_name, kind) become an environment.

    The response is 404 for an environment of another application, and 403 for a member without
    `permission`. No browser keeps it: going back shows what is true now, and after signing out
    nothing.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(
            request: Any, org_name: str, kind: str, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            environment = (
                Environment.objects.filter(application__members__account=request.user)
                .select_related("application")
                .filter(application__org_name=org_name, kind=kind)
                .first()
            )
            if environment is None:
                raise Http404
            _set_access(request, environment.application, kind, permission)
            request.environment = environment
            asked = anew.ask(request) if permission in ASK_TO_SIGN_IN_ANEW else None
            response = asked or view(request, environment, *args, **kwargs)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)
            return response

        checked.permission = permission  # type: ignore[attr-defined]
        return checked

    return decorate


def _set_access(request: Any, application: Application, kind: str, permission: Permission) -> None:
    member = Member.objects.filter(application=application, account=request.user).first()
    if member is None:  # removed between the two queries
        raise Http404
    if application.second_factor_required and not second_factors.has_one(request.user):
        raise SecondFactorNeeded(application)
    request.access = Access(member, kind)
    request.access.require(permission)


def context(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: the page's environment, what the member may do there, and the
    entry of the menu that the page belongs to (`noun`, the namespace of its URL).
    """
    match = request.resolver_match
    return {
        "environment": getattr(request, "environment", None),
        "access": getattr(request, "access", None),
        "noun": match.namespace if match else "",
    }
