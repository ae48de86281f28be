"""Every routed page in a real browser: it follows the accessibility rules, nothing overflows or is
cut off, the browser's console is empty, and no request goes to another server.

The pages are those of development and production with the longest texts allowed, pages without
data, refusals, and each dialog. axe runs on the light and the dark theme; the layout is measured on
a desktop and on a phone.

The tests take longest of all, and are given out last, so that all processes end at about the same
moment. A process has the next test while it does one: the longest are not beside each other.
"""

from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import SESSION_KEY, get_user_model
from django.urls import resolve, reverse
from playwright.sync_api import expect

from applications.models import Application, Role
from applications.vendors import vendors
from tests.browser import longest
from tests.console.pages import address
from tests.console.routes import ENVIRONMENT_PAGES, OTHER_PAGES, world
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
# What only an account with second factors, and staff status, has.
OF_SECOND_FACTORS = [
    *("mfa_index", "mfa_deactivate_totp", "mfa_view_recovery_codes", "health:index"),
    *("mfa_generate_recovery_codes", "account_reauthenticate", "mfa_reauthenticate"),
]
OF_A_PASSKEY = ["mfa_edit_webauthn", "mfa_remove_webauthn"]
PASSWORD = "correct horse battery"
# All rows are alike, so only the first few are checked.
FIRST_ROWS = {"exclude": ["tbody tr:nth-child(n+4)"]}
UNFOLD = "document.querySelectorAll('main details').forEach(each => { each.open = true; })"
LAYOUT = (Path(__file__).parent / "layout.js").read_text()
RUN_AXE = (
    "context => axe.run(context, {resultTypes: ['violations']}).then(found => found.violations)"
)


def html_pages(client: Any, urls: list[str]) -> list[str]:
    """The URLs that respond with an HTML page, without exports and redirects."""
    kept = []
    for url in urls:
        response = client.get(url)
        # The session is a recent one, so no page hides behind signing in anew.
        assert not response.get("Location", "").startswith(reverse("account_reauthenticate")), url
        if response.status_code < 300 and response["Content-Type"].startswith("text/html"):
            kept.append(url)
    assert kept
    return kept


class Inspector:
    """Checks pages, and collects their errors."""

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
        """Measure on a desktop, then on a phone. The window keeps the size of the phone."""
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
        """Open each new dialog of the page by keyboard. Closing it puts the focus back."""
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
    def test_of_a_full_development_with_every_dialog(self, opened, axe, client, application):
        self.inspect_full("development", opened, axe, client, application)

    def test_without_data(self, opened, axe, client, application):
        environment = make_environment(application=application)
        urls = [
            address(name, environment)
            for name, page in ENVIRONMENT_PAGES.items()
            if page.methods.startswith("GET") and not page.args
        ]
        bans, lists = address("bans:index", environment), address("lists:index", environment)
        urls += [f"{bans}?tab={tab}" for tab in ("lifted", "expired", "all")]
        urls += [f"{lists}?list=allowlist&owner=mia", f"{lists}?listed=mia", f"{bans}?q=mia"]
        shown = {name for name, row in OTHER_PAGES.items() if row == ("account_login", 200)}
        # Each vendor has its own page of calls. The document is JSON.
        urls += [reverse(name) for name in shown - {"api_docs:index", "api_docs:document"}]
        urls += [reverse("api_docs:index", args=[vendor.name]) for vendor in vendors()]
        with opened(environment) as window:
            inspector = Inspector(window, axe)
            for url in html_pages(client, urls):
                inspector.visit(url, [(PHONE, "light")])
        assert inspector.wrong == []

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
            expect(dialog.get_by_text("Access token", exact=True)).to_be_visible()
            inspector.inspect("is registered")
            inspector.measure("is registered")
            dialog.get_by_role("link", name="Done").click()
            window.open(address("bans:impose", environment) + f"?user={longest.USER_ID}")
            page.get_by_role("button", name="Ban").click()
            expect(page.get_by_text("Banned")).to_be_visible()
            inspector.measure("a message")
        assert inspector.wrong == []

    def test_of_a_full_production_with_every_dialog(self, opened, axe, client, application):
        self.inspect_full("production", opened, axe, client, application)

    def test_of_an_account_with_second_factors(self, opened, axe, client, application):
        environment = make_environment(application=application)
        with opened(environment) as window:
            account = get_user_model().objects.get(pk=client.session[SESSION_KEY])
            account.is_staff = True
            account.set_password(PASSWORD)
            account.save()
            client.force_login(account)
            window.show_as(client)
            TOTP.activate(account, generate_totp_secret())
            RecoveryCodes.activate(account)
            passkey = Authenticator.objects.create(
                user=account, type="webauthn", data={"name": "P" * 100, "credential": {}}
            )
            urls = [reverse(name) for name in OF_SECOND_FACTORS]
            urls += [reverse(name, args=[passkey.pk]) for name in OF_A_PASSKEY]
            assert html_pages(client, urls) == urls
            inspector = Inspector(window, axe)
            for url in urls:
                inspector.visit(url, [(DESKTOP, "dark"), (PHONE, "light")])
        assert inspector.wrong == []
        passkey.delete()  # it has no key, which the second step would need
        with opened() as window:
            inspector, page = Inspector(window, axe), window.page
            window.open(reverse("account_login"))
            page.get_by_label("Username").fill(account.username)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            expect(page.get_by_label("Code")).to_be_visible()
            inspector.inspect("second step")
            inspector.measure("second step")
        assert inspector.wrong == []

    def test_of_an_application_that_requires_a_second_factor(self, opened, axe, application):
        environment = make_environment(application=application)
        Application.objects.update(second_factor_required=True)
        with opened(environment) as window:
            inspector = Inspector(window, axe)
            inspector.visit(address("users:index", environment), EVERY_LOOK)
            expect(window.page.get_by_text("requires a second factor")).to_be_visible()
        assert inspector.wrong == []

    def test_that_refuses_or_needs_no_sign_in(self, opened, axe, application):
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
                reverse("account_login"),
                reverse("accept_invitation", args=["MQ", "x-y"]),
            ):
                inspector.visit(url, EVERY_LOOK)
        assert inspector.wrong == []

    def inspect_full(self, kind, opened, axe, client, application):
        here = longest.fill(world(application, kind))
        urls = [here.url(name) for name, page in ENVIRONMENT_PAGES.items() if "GET" in page.methods]
        urls += [f"{here.url('quota:index')}?free=20", f"{here.url('bans:index')}?tab=all"]
        urls += [address(name, here.environment, longest.USER_ID) for name in OF_A_USER]
        urls += [f"{here.url('lists:index')}?list=allowlist&owner={longest.USER_ID}"]
        urls += [f"{here.url('users:index')}?q={'y' * 64}", f"{here.url('users:index')}?q=x"]
        pair = f"{longest.USER_ID}+{longest.OTHER_ID}"
        urls += [f"{here.url('why:index')}?q={text}" for text in (longest.USER_ID, pair, "nobody")]
        urls += [f"{here.url('search:index')}?q={longest.USER_ID}"]
        urls += [f"{here.url('users:index')}?sort=seen&since=2020-01-01"]
        if kind == "development":
            two = f"a={longest.USER_ID}&b={longest.OTHER_ID}"
            urls += [f"{here.url('try_it:index')}?{two}"]
        with opened(here.environment) as window:
            longest.lengthen_username()
            inspector = Inspector(window, axe)
            for url in html_pages(client, urls):
                inspector.visit(url, LOOKS[kind])
                inspector.open_dialogs()
        assert inspector.wrong == []
        assert {"bans:impose", "bans:change", "deactivated:reactivation_call"} <= inspector.dialogs
