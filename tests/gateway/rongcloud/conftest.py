"""Apps with RongCloud's web SDK in a browser, on pages of another origin than the gateway's."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext

from tests import web_sdks
from tests.waiting import PATIENCE
from users import tokens
from users.models import AppUser

SCRIPT = Path(__file__).with_name("app.js").read_text()


class App:
    """One person's browser, with the SDK in it."""

    def __init__(
        self, context: BrowserContext, *, origin: str, server: str, user: AppUser, version: str
    ):
        self.context, self.user, self.server = context, user, server
        self.asked: list[str] = []
        self.errors: list[str] = []
        self._page, self._version = f"{origin}/page.html", version
        context.on("request", lambda request: self.asked.append(request.url))
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))

    def open(self, navigators: list[str] | None = None) -> None:
        """Load the page, again if it was loaded before."""
        self.page.goto(self._page)
        self.page.add_script_tag(
            type="importmap",
            content=json.dumps(
                {
                    "imports": {
                        "imlib": f"/node_modules/rongcloud-imlib-{self._version}/index.mjs",
                        "@rongcloud/engine": f"/node_modules/rongcloud-engine-{self._version}"
                        "/index.mjs",
                    }
                }
            ),
        )
        self.page.add_script_tag(type="module", content=SCRIPT)
        self.page.wait_for_function("!!window.start")
        key = self.user.environment.app_key
        self.run("start(...given)", key, [self.server] if navigators is None else navigators)

    def run(self, code: str, *given: Any) -> Any:
        return self.page.evaluate(f"async (given) => {{ {code} }}", list(given))

    def connect(self, token: str = "") -> dict[str, Any]:
        token = token or tokens.issue(self.user, now=timezone.now())
        return self.run("return await sdk.connect(given[0])", token)

    def enter(self) -> "App":
        """Open the page and connect."""
        self.open()
        answer = self.connect()
        assert (answer["code"], answer["data"]) == (0, {"userId": self.user.user_id})
        return self

    def say(self, to: str, text: str = "Hi") -> dict[str, Any]:
        return self.run("return await say(...given)", to, text)

    @property
    def events(self) -> list[list[Any]]:
        return self.run("return events")

    def hear(self, count: int) -> list[list[str]]:
        """(sender, text) of all messages so far, once there are so many."""
        self.page.wait_for_function(f"received.length >= {count}")
        return self.run("return received.map((each) => [each.senderUserId, each.content.content])")

    def wait(self, condition: str) -> None:
        """Until a condition in the page is true."""
        self.page.wait_for_function(condition)


@pytest.fixture(scope="session")
def origin():
    web_sdks.install()
    with web_sdks.origin() as address:
        yield address


@pytest.fixture
def apps(browser, gateway, origin):
    """Makes a browser for a user, with this version of the SDK. Nothing leaves the machine."""
    opened = []

    def app(user: AppUser, version: str = "5.38") -> App:
        context = browser.new_context()
        opened.append(context)
        context.route("https://**", lambda route: route.abort())
        server = gateway.url.replace("ws", "http", 1)
        return App(context, origin=origin, server=server, user=user, version=version)

    yield app
    for context in opened:
        context.close()
