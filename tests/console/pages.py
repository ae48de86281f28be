"""Helpers to open pages as a member."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from applications.models import Environment, Role
from tests.factories import make_member


def sign_in(client: Any, environment: Environment, role: Role = Role.OWNER) -> Any:
    """A new member of the environment's application, signed in."""
    account = make_member(application=environment.application, role=role).account
    client.force_login(account)
    return account


def address(name: str, environment: Environment, *args: Any) -> str:
    return reverse(name, args=[environment.application.org_name, environment.kind, *args])


def url(environment: Environment, path: str, **query: Any) -> str:
    """The URL of a path in the environment, written out, because bookmarks must keep working."""
    place = f"/console/{environment.application.org_name}/{environment.kind}/{path}"
    return f"{place}?{urlencode(query, doseq=True)}" if query else place


def messages(response: Any) -> list[str]:
    """The messages that the page shows."""
    return [str(message) for message in response.context["messages"]]
