"""A browser in which a member is signed in, and which records errors on the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from applications.models import Environment, Role
from tests.console.pages import sign_in
from tests.waiting import PATIENCE

# Chromium logs this for each response above 399. Tests that request such a page expect it.
REFUSED = "Failed to load resource: the server responded with a status of"
# htmx logs these for a request that a newer one replaces, as when somebody types on. What fails is
# logged as `htmx:sendError` as well.
REPLACED = ("htmx:afterRequest", "htmx:sendAbort")


class Window:
    """A page of a browser, with the problems in it: script errors, violations of the
    Content-Security-Policy, requests to other servers.
    """

    def __init__(self, page: Page, server: str):
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.on("console", lambda message: self._complain(message.text))
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("request", lambda request: self._check_url(request.url))

    def _complain(self, text: str) -> None:
        if not text.startswith((REFUSED, *REPLACED)):
            self.complaints.append(text)

    def _check_url(self, url: str) -> None:
        if not url.startswith((self.server, "data:", "blob:")):
            self.complaints.append(f"requested {url}")

    def show_as(self, client: Any) -> None:
        """From now on with the session of Django's test client."""
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        name = settings.SESSION_COOKIE_NAME
        self.page.context.add_cookies([{"name": name, "value": cookie, "url": self.server}])

    def open(self, path: str) -> None:
        self.rest()
        self.page.goto(self.server + path)

    def rest(self) -> None:
        """Wait for what the page has asked for: a request that another page cuts off has failed."""
        expect(self.page.locator(".htmx-request")).to_have_count(0)


@pytest.fixture(autouse=True)
def fresh_rates() -> None:
    """Reset the rate limits, so that tests do not use up each other's calls."""
    cache.clear()


@pytest.fixture
def opened(browser: Browser, live_server: Any, client: Any) -> Any:
    """`with opened(environment, role) as window:` is signed in. Other options go to the browser
    context.
    """

    @contextmanager
    def window(
        environment: Environment | None = None, role: Role = Role.OWNER, **options: Any
    ) -> Iterator[Window]:
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE * 1000)
        shown = Window(context.new_page(), live_server.url)
        if environment is not None:
            sign_in(client, environment, role)
            shown.show_as(client)
        try:
            yield shown
        finally:
            context.close()

    return window


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, for `add_init_script`."""
    return Axe().axe_script
