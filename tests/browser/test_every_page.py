"""Every page that is routed, in a real browser: the rules of accessibility, nothing that sticks out
sideways or is cut, nothing on the browser's console, no request to anywhere else.

Development and production, full of the longest words that are legal; pages with nothing on them;
refusals; and each dialog, wherever it is opened from. Between them they are looked at light and
dark; all are measured on a desktop and on a phone.
"""

from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve, reverse
from playwright.sync_api import expect

from applications.models import Role
from applications.vendors import vendors
from tests.browser import longest
from tests.console.pages import address
from tests.console.test_access import ABOVE, OF_ENVIRONMENT, world
from tests.factories import make_application, make_environment, make_member

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DESKTOP, PHONE = 1280, 390
LOOKS = {
    "development": [(DESKTOP, "light"), (PHONE, "dark")],
    "production": [(DESKTOP, "dark")],
}
EVERY_LOOK = [(width, scheme) for width in (DESKTOP, PHONE) for scheme in ("light", "dark")]
OF_A_USER = [
    f"users:{page}"
    for page in ("detail", "moderation", "friends", "personal_data", "edit", "delete", "sign_out")
]
# Rows are alike: the first few stand for all.
FIRST_ROWS = {"exclude": ["tbody tr:nth-child(n+4)"]}
UNFOLD = "document.querySelectorAll('main details').forEach(each => { each.open = true; })"
LAYOUT = (Path(__file__).parent / "layout.js").read_text()
RUN_AXE = (
    "context => axe.run(context, {resultTypes: ['violations']}).then(found => found.violations)"
)


def html_pages(client: Any, urls: list[str]) -> list[str]:
    """Those that answer with a page: exports and redirects are none."""
    kept = []
    for url in urls:
        response = client.get(url)
        if response.status_code < 300 and response["Content-Type"].startswith("text/html"):
            kept.append(url)
    assert kept
    return kept


class Inspector:
    """Looks at pages, and keeps what is wrong with them."""

    def __init__(self, window: Any, axe: str):
        self.window, self.page = window, window.page
        self.page.add_init_script(axe)
        self.wrong: list[tuple[Any, ...]] = []
        self.dialogs: set[str] = set()

    def visit(self, url: str, looks: list[tuple[int, str]]) -> None:
        self.window.open(url)
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        self.page.evaluate(UNFOLD)
        for width, scheme in looks:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=scheme)
            self.inspect(f"{url} {width} {scheme}")
        self.measure(url)

    def measure(self, what: str) -> None:
        """On a desktop, then on a phone, where the window stays."""
        for width in (DESKTOP, PHONE):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.wrong += [(what, width, *found) for found in self.page.evaluate(LAYOUT)]

    def inspect(self, what: str) -> None:
        self.wrong += [
            (what, rule["id"], rule["impact"], rule["nodes"][0]["html"][:200])
            for rule in self.page.evaluate(RUN_AXE, FIRST_ROWS)
        ]
        self.wrong += [(what, text) for text in self.window.complaints]
        self.window.complaints.clear()

    def open_dialogs(self) -> None:
        """Those that no earlier page had; each by keyboard, which then is back where it was."""
        for opener in self.page.locator("[aria-haspopup=dialog]:visible").all():
            name = resolve(opener.get_attribute("hx-get").split("?")[0]).view_name
            if name in self.dialogs:
                continue
            self.dialogs.add(name)
            opener.focus()
            self.page.keyboard.press("Enter")
            expect(self.page.get_by_role("dialog")).to_be_visible()
            self.inspect(f"dialog {name}")
            self.measure(f"dialog {name}")
            self.page.keyboard.press("Escape")
            expect(self.page.get_by_role("dialog")).to_have_count(0)
            expect(opener).to_be_focused()


@pytest.fixture
def application():
    application = make_application(name="C" * 80)
    make_member(application=application, role=Role.VIEWER)
    return application


class TestEveryPage:
    @pytest.mark.parametrize("kind", ["development", "production"])
    def test_of_a_full_environment_and_every_dialog(self, opened, axe, client, application, kind):
        here = longest.fill(world(application, kind))
        urls = [here.url(name) for name, page in OF_ENVIRONMENT.items() if "GET" in page.methods]
        urls += [f"{here.url('quota:index')}?free=20", f"{here.url('bans:index')}?tab=all"]
        urls += [address(name, here.environment, longest.USER_ID) for name in OF_A_USER]
        urls += [f"{here.url('lists:index')}?list=allowlist&owner={longest.USER_ID}"]
        urls += [f"{here.url('users:index')}?q={'y' * 64}", f"{here.url('users:index')}?q=x"]
        if kind == "development":
            two = f"a={longest.USER_ID}&b={longest.OTHER_ID}"
            urls += [f"{here.url('try_it:index')}?{two}"]
        with opened(here.environment) as window:
            longest.sign_in_as_the_longest()
            inspector = Inspector(window, axe)
            for url in html_pages(client, urls):
                inspector.visit(url, LOOKS[kind])
                inspector.open_dialogs()
        assert inspector.wrong == []
        assert {"bans:impose", "bans:change", "deactivated:reactivation_call"} <= inspector.dialogs

    def test_that_registers_the_longest_id(self, opened, axe, application):
        environment = make_environment(application=application)
        with opened(environment) as window:
            inspector, page = Inspector(window, axe), window.page
            window.open(address("users:index", environment))
            page.get_by_role("link", name="Register a test user").click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_label("User id").fill(longest.USER_ID)
            dialog.get_by_label("Name").fill(longest.NAME)
            dialog.get_by_role("button", name="Register").click()
            expect(dialog.get_by_text("Access token")).to_be_visible()
            inspector.inspect("is registered")
            inspector.measure("is registered")
            dialog.get_by_role("link", name="Done").click()
            window.open(address("bans:impose", environment) + f"?user={longest.USER_ID}")
            page.get_by_role("button", name="Ban").click()
            expect(page.get_by_text("Banned")).to_be_visible()
            inspector.measure("a message")
        assert inspector.wrong == []

    def test_with_nothing_on_it(self, opened, axe, client, application):
        environment = make_environment(application=application)
        urls = [
            address(name, environment)
            for name, page in OF_ENVIRONMENT.items()
            if page.methods.startswith("GET") and not page.args
        ]
        bans, lists = address("bans:index", environment), address("lists:index", environment)
        urls += [f"{bans}?tab={tab}" for tab in ("lifted", "expired", "all")]
        urls += [f"{lists}?list=allowlist&owner=mia", f"{lists}?listed=mia", f"{bans}?q=mia"]
        shown = {name for name, row in ABOVE.items() if row == ("accounts:sign_in", 200)}
        # The calls are one page for each vendor, and beside it a document that is no page.
        urls += [reverse(name) for name in shown - {"api_docs:index", "api_docs:document"}]
        urls += [reverse("api_docs:index", args=[vendor.name]) for vendor in vendors()]
        with opened(environment) as window:
            inspector = Inspector(window, axe)
            for url in html_pages(client, urls):
                inspector.visit(url, [(PHONE, "light")])
        assert inspector.wrong == []

    def test_that_refuses_or_lets_nobody_in(self, opened, axe, application):
        environment = make_environment(application=application)
        users = address("users:index", environment)
        with opened(environment, Role.VIEWER) as window:
            inspector = Inspector(window, axe)
            for url in (users, f"{users}register/", f"{users}nothing/"):  # 200, 403, 404
                inspector.visit(url, EVERY_LOOK)
        assert inspector.wrong == []
        with opened() as window:
            inspector = Inspector(window, axe)
            for url in (
                reverse("accounts:sign_in"),
                reverse("accounts:set_password", args=["MQ", "x-y"]),
            ):
                inspector.visit(url, EVERY_LOOK)
        assert inspector.wrong == []
