"""The console's own pages in a real browser: both widths, both schemes, the rules of accessibility,
and no complaint on the browser's console (the Content-Security-Policy would be one).
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from applications.models import Role
from tests.console.pages import address, sign_in
from tests.factories import make_ban, make_environment, make_member, make_users

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment():
    environment = make_environment(kind="production")
    make_users(environment=environment, count=87)
    make_ban(environment=environment, expires_at=None)
    make_member(application=environment.application, role=Role.VIEWER)
    return environment


@pytest.fixture
def browser_page(page, client, live_server, environment):
    """A browser in which an owner has signed in; `complaints` is what its console said."""
    sign_in(client, environment)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
class TestEveryPage:
    def test_is_accessible_and_fits(self, browser_page, live_server, environment, width, scheme):
        page = browser_page
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        urls = [reverse("overview"), reverse("application_create"), reverse("password-change")]
        names = ("environment", "keys", "tokens_revoke_all", "member_list", "audit_log", "settings")
        urls += [address(name, environment) for name in names]
        for url in urls:
            page.goto(live_server.url + url)
            violations = Axe().run(page).response["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == [], url
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, url
        assert page.complaints == []


class TestDialog:
    def test_revokes_a_secret_once_its_end_is_typed(self, browser_page, live_server, environment):
        page = browser_page
        page.goto(live_server.url + address("keys", environment))
        page.get_by_role("button", name="Add a secret").click()
        old = environment.secrets.order_by("pk").first()
        page.get_by_role("link", name="Revoke", exact=True).first.click()
        dialog = page.get_by_role("dialog")
        button = dialog.get_by_role("button", name="Revoke the secret")
        expect(button).to_be_disabled()
        dialog.get_by_label("to confirm").fill(old.hint)
        button.click()
        expect(page.get_by_text(f"The secret …{old.hint} is revoked.")).to_be_visible()
        assert page.complaints == []
