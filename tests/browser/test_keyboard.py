"""Search, keys, the panel and the address, in a real browser: by keyboard alone, and without
JavaScript.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.console.pages import address
from tests.factories import NOON, make_ban, make_environment, make_token, make_user, make_users

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment():
    environment = make_environment()
    make_users(environment=environment, count=3)
    make_user(environment=environment, user_id="mia", name="Mia Chen", registered_at=NOON)
    return environment


def test_by_keyboard_alone(opened, environment):
    with opened(environment, viewport={"width": 1280, "height": 900}) as window:
        page, press = window.page, window.page.keyboard.press
        users = address("users:index", environment)
        window.open(users)

        # Rows: next, select, open beside the list; Escape and Back close what is open.
        press("j")
        expect(page.get_by_role("link", name="mia")).to_be_focused()
        press("x")
        expect(page.get_by_role("checkbox", name="Select mia")).to_be_checked()
        press("Enter")
        panel = page.get_by_role("complementary", name="Details")
        expect(panel.get_by_role("heading", name="mia")).to_be_visible()
        expect(page).to_have_url(re.compile("#panel="))
        with_panel = page.url
        press("Escape")
        expect(panel).to_have_count(0)
        expect(page.get_by_role("link", name="mia")).to_be_focused()
        press("Enter")
        expect(panel).to_be_visible()
        page.go_back()
        expect(panel).to_have_count(0)
        window.rest()
        page.goto("about:blank")
        page.goto(with_panel)
        expect(panel.get_by_role("heading", name="mia")).to_be_visible()

        # Search: by a part of the name, then an act, which opens the dialog filled in.
        press("Escape")
        expect(panel).to_have_count(0)
        press("Control+k")
        search = page.get_by_role("dialog", name="Search")
        field = search.get_by_role("searchbox")
        expect(field).to_be_focused()
        page.keyboard.type("hen")
        expect(search.get_by_role("link", name="Mia Chen")).to_be_visible()
        press("ArrowDown")
        expect(search.get_by_role("link", name="Mia Chen")).to_be_focused()
        press("ArrowUp")
        field.fill("")
        page.keyboard.type("ban mia for 3 days because spam")
        press("Enter")
        ban = page.get_by_role("dialog", name="Ban mia")
        expect(ban.get_by_label("Duration or end")).to_have_value("3 days")
        expect(ban.get_by_role("combobox", name="Reason")).to_have_value("spam")

        # Never while typing; and not where the member has switched the keys off.
        press("Escape")
        page.get_by_role("searchbox", name="Search users").fill("")
        page.keyboard.type("/?jx")
        expect(page.get_by_role("link", name="mia")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)
        window.open(users)
        press("?")
        page.get_by_role("checkbox", name="Use these keys").uncheck()
        press("Escape")
        press("/")
        expect(page.get_by_role("dialog")).to_have_count(0)
        press("Control+k")
        expect(search).to_be_visible()
        assert window.complaints == []


def test_a_token_is_answered_and_stays_out_of_the_address(opened, environment):
    token = make_token(make_user(environment=environment, user_id="ada"))
    make_ban(environment=environment, user_id="ada", expires_at=None)
    with opened(environment) as window:
        page = window.page
        window.open(address("why:index", environment))
        page.get_by_role("textbox").fill(token)
        page.keyboard.press("Enter")
        question = "Can ada connect with this token?"
        expect(page.get_by_role("heading", name=f"{question} No.")).to_be_visible()
        page.get_by_role("button", name="Lift the ban").click()
        expect(page.get_by_text("ended")).to_be_visible()
        assert token not in page.url
        assert window.complaints == []


def test_without_javascript(opened, environment):
    with opened(environment, java_script_enabled=False) as window:
        page = window.page
        window.open(address("users:index", environment))
        page.get_by_role("link", name="Search", exact=True).click()
        page.get_by_role("searchbox").fill("chen")
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(re.compile(r"q=chen$"))
        page.get_by_role("link", name="Mia Chen").click()
        expect(page.get_by_role("heading", name="mia", level=1)).to_be_visible()
        window.open(address("why:index", environment))
        page.get_by_role("textbox").fill("mia nobody")
        page.get_by_role("button", name="Ask").click()
        heading = page.get_by_role("heading", name="May mia write to nobody? No.")
        expect(heading).to_be_visible()
