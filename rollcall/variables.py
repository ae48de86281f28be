"""Read environment variables: collect malformed ones and continue with their defaults.

So settings can always be imported; a system check (`rollcall.checks`) then names all malformed
variables, and nothing starts. django-environ itself raises at the first one, accepts an empty
variable as a value and any text as a flag, and checks no bounds.
"""

import os
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True)
_FLAGS |= dict.fromkeys(("0", "false", "no", "off"), False)


class Variables:
    """Reads variables; an empty one counts as not set. `malformed`: name → what is expected."""

    def __init__(self) -> None:
        self.malformed: dict[str, str] = {}

    def text(self, name: str, default: str) -> str:
        return os.environ.get(name) or default

    def words(self, name: str, default: list[str]) -> list[str]:
        """A list, separated by commas."""
        found = [word.strip() for word in self.text(name, "").split(",")]
        return [word for word in found if word] or default

    def flag(self, name: str, default: bool) -> bool:
        return self.parsed(name, default, lambda text: _FLAGS[text.lower()], "true or false")

    def number(self, name: str, default: int, *, least: int = 1, most: int = 100_000) -> int:
        def parse(text: str) -> int:
            if not least <= int(text) <= most:
                raise ValueError(text)
            return int(text)

        return self.parsed(name, default, parse, f"a whole number from {least} to {most}")

    def parsed(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        text = self.text(name, "").strip()
        try:
            return parse(text) if text else default
        except (ValueError, LookupError, OSError, ImproperlyConfigured):
            self.malformed[name] = expected
            return default


def folder(text: str) -> Path:
    """A parser for `parsed`. Creates the folder if it is missing."""
    path = Path(text).resolve()
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise PermissionError(path)
    return path


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """A parser for `parsed`: addresses and networks, separated by commas."""
    return [ip_network(word.strip()) for word in text.split(",") if word.strip()]


def one_of(words: Iterable[str]) -> Callable[[str], str]:
    """A parser for `parsed`."""
    return {word: word for word in words}.__getitem__


def url(*schemes: str, several: bool = False) -> Callable[[str], str]:
    """A parser for `parsed`. `several`: there may be several hosts, separated by commas."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError(text)
        hosts = parts.netloc.rpartition("@")[2]
        for host in hosts.split(",") if several else [hosts]:
            _ = urlsplit(f"//{host}").port  # raises ValueError if it is not a number
        return text

    return parse
