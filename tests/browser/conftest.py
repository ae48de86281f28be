"""A browser in which somebody has signed in, and which remembers what it should not have seen."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Browser, Page

from applications.models import Environment, Role
from tests.console.pages import sign_in
from tests.waiting import PATIENCE

# What Chromium says of each answer above 399; whoever asks for such a page knows.
REFUSED = "Failed to load resource: the server responded with a status of"


class Window:
    """A page of a browser, with what went wrong in it: errors of scripts, breaches of the
    Content-Security-Policy, requests to other servers.
    """

    def __init__(self, page: Page, server: str):
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("console", lambda said: self._complain(said.text))
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("request", lambda request: self._look_at(request.url))

    def _complain(self, text: str) -> None:
        if not text.startswith(REFUSED):
            self.complaints.append(text)

    def _look_at(self, url: str) -> None:
        if not url.startswith((self.server, "data:", "blob:")):
            self.complaints.append(f"asked {url}")

    def open(self, path: str) -> None:
        self.page.goto(self.server + path)


@pytest.fixture(autouse=True)
def fresh_rates() -> None:
    """No test has used up another's calls."""
    cache.clear()


@pytest.fixture
def opened(browser: Browser, live_server: Any, client: Any) -> Any:
    """`with opened(environment, role) as window:` signed in; other options are the context's."""

    @contextmanager
    def window(
        environment: Environment | None = None, role: Role = Role.OWNER, **options: Any
    ) -> Iterator[Window]:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE * 1000)
        if environment is not None:
            sign_in(client, environment, role)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
            )
        try:
            yield Window(context.new_page(), live_server.url)
        finally:
            context.close()

    return window


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, to be put into a context once."""
    return Axe().axe_script
