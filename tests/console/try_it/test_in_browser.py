"""The page "Try it" in a real browser, with a console and gateway that run beside the test: the
JavaScript client and how it handles the gateway's responses.
"""

import re

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from moderation import bans
from tests.console.pages import address, sign_in
from tests.factories import make_message, make_token, make_user, staff_actor
from tests.waiting import eventually
from users import messages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def panes(page, client, server, environment):
    """The page with both clients connected: mia on the left, ben on the right."""
    sign_in(client, environment)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server}])
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(f"{server}{address('try_it:index', environment)}?a=mia&b=ben")
    both = [page.locator(f"[data-pane={name}]") for name in ("a", "b")]
    for pane in both:
        pane.get_by_role("button", name="Connect", exact=True).click()
        expect(pane.locator("[data-state]")).to_have_text("Connected")
    yield both
    assert page.complaints == []


def send(pane, text):
    pane.get_by_label("Message", exact=True).fill(text)
    pane.get_by_role("button", name="Send").click()


class TestTryIt:
    def test_delivers_messages_and_names_the_rule_that_refuses(self, panes):
        mia, ben = panes
        send(mia, "Hello <b>Ben</b>")
        expect(ben.locator(".received")).to_contain_text("Hello <b>Ben</b>")
        expect(mia.locator(".sent")).to_contain_text("stored")
        ben.get_by_role("button", name="Block mia").click()
        expect(ben.get_by_role("button", name="Unblock mia")).to_be_enabled()
        send(mia, "Are you there?")
        expect(mia.locator(".sent.refused")).to_contain_text("Refused by the rule “blocked”")
        send(ben, "I am")
        expect(mia.locator(".received")).to_contain_text("I am")

    def test_shows_a_banned_client_disconnect_and_until_when(self, panes, page):
        _, ben = panes
        ben.get_by_role("link", name="Ban").click()
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Ban")).click()
        expect(ben.locator("[data-talk]")).to_contain_text("Closed: banned (4010)")
        expect(ben.locator(".standing")).to_contain_text("left")
        ben.get_by_role("button", name="Connect", exact=True).click()
        expect(ben.locator(".talk-line", has_text="until")).to_have_count(2)
        ben.get_by_role("button", name="Lift ban").click()
        expect(ben.get_by_role("link", name="Ban")).to_be_visible()
        ben.get_by_role("button", name="Connect", exact=True).click()
        expect(ben.locator("[data-state]")).to_have_text("Connected")

    def test_keeps_access_tokens_out_of_addresses(self, panes, page):
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        mia, _ = panes
        mia.get_by_role("button", name="Disconnect").click()
        mia.get_by_role("button", name="Connect", exact=True).click()
        expect(mia.locator("[data-state]")).to_have_text("Connected")
        assert any(url.endswith("/try-it/token/") for url in asked)
        assert not any("token=" in url for url in [*asked, page.url])


START = """async ([gateway, appKey, token]) => {
  window.WebSocket = class extends WebSocket {
    constructor(url) { super(url); window.socket = this; }
  };
  const { RollcallClient } = await import("/static/rollcall-client.js");
  const client = window.client = new RollcallClient({ url: gateway, appKey, token });
  client.received = [];
  client.closures = [];
  client.addEventListener("message", ({ detail }) => client.received.push(detail.body));
  client.addEventListener("closed", ({ detail }) => client.closures.push(detail));
  client.connect();
}"""


class TestRollcallClient:
    """The file that apps use, with a client of the user zoe."""

    @pytest.fixture
    def zoe(self, panes, page, server, environment):
        zoe = make_user(environment=environment, user_id="zoe")
        token = make_token(zoe, now=timezone.now())
        gateway = server.replace("http", "ws") + "/gateway"
        page.evaluate(START, [gateway, environment.app_key, token])
        assert eventually(lambda: page.evaluate("client.connected"))
        return zoe

    def test_reconnects_with_its_calls_and_receives_each_message_once(self, zoe, page, environment):
        about_zoe = {"environment": environment, "user_id": "zoe"}
        make_message(
            environment=environment, sender_id="mia", recipient_id="zoe", sent_at=timezone.now()
        )
        messages.notify([(environment.pk, "zoe")])
        page.evaluate("socket.close(3000)")
        page.evaluate("window.answer = client.call('blocklist.get'), null")
        assert eventually(lambda: page.evaluate("client.received.length"))
        assert page.evaluate("answer") == {"user_ids": [], "next": None}
        assert eventually(lambda: not messages.waiting_count(**about_zoe, now=timezone.now()))
        page.evaluate("socket.close(3000)")
        # It may be connected again before anybody sees that it was not.
        assert eventually(lambda: page.evaluate("client.closures.length") == 2)
        assert eventually(lambda: page.evaluate("client.connected"))
        assert page.evaluate("client.received") == ["Hi"]
        assert [each["final"] for each in page.evaluate("client.closures")] == [False, False]

    def test_does_not_reconnect_when_banned(self, zoe, page, environment):
        now = timezone.now()
        bans.impose(
            environment=environment,
            user_ids=["zoe"],
            expires_at=None,
            reason="spam",
            by=staff_actor(),
            now=now,
        )
        assert eventually(lambda: page.evaluate("client.closures.length"))
        [closure] = page.evaluate("client.closures")
        assert (closure["reason"], closure["final"]) == ("banned", True)

    def test_rejects_a_refused_call_with_its_error(self, zoe, page):
        refused = page.evaluate("client.send('nobody', 'Hi').catch(error => error.error)")
        assert refused == "unknown_user"
