"""Paths of calls: with the names of an environment, with examples, and as a pattern."""

import re
from typing import Any

from applications.models import Environment

_NAME = re.compile(r"\{(\w+)\}")
_EXAMPLES = {"username": "mia", "expiry": "3600", "resource": "web"}


def base(document: dict[str, Any], environment: Environment | None) -> str:
    """What stands before every path, with the names of the environment if there is one."""
    found = str(document["servers"][0]["url"]).rstrip("/")
    if environment is None:
        return found
    names = {"org_name": environment.application.org_name, "app_name": environment.kind}
    for name, value in names.items():
        found = found.replace(f"{{{name}}}", value)
    return found


def example(path: str) -> str:
    """The path with an example for each parameter."""
    return _NAME.sub(lambda match: _EXAMPLES.get(match[1], "ben"), path)


def pattern(path: str) -> str:
    """A regular expression of the paths that this one stands for."""
    return "".join(
        "[^/]+" if place % 2 else re.escape(part) for place, part in enumerate(_NAME.split(path))
    )
