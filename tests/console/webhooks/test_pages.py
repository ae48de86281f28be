import re

import pytest
import time_machine
from django.conf import settings
from playwright.sync_api import expect

from applications import vault, webhooks
from applications.models import Delivery, Role, Webhook
from tests.console.pages import address, sign_in
from tests.factories import (
    HOUR,
    NOON,
    make_delivery,
    make_environment,
    make_webhook,
    staff_actor,
)

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor(), "now": NOON}
URL = "https://hooks.example.com/in"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _noon(request):
    if request.node.get_closest_marker("browser"):
        yield
    else:
        with time_machine.travel(NOON, tick=False):
            yield


@pytest.fixture
def environment(client):
    environment = make_environment()
    sign_in(client, environment)
    return environment


@pytest.fixture
def webhook(environment):
    return make_webhook(environment=environment)


def page(client, name, webhook, *args):
    return client.get(address(name, webhook.environment, webhook.pk, *args)).text


def post(client, name, webhook, *args, **data):
    return client.post(address(name, webhook.environment, webhook.pk, *args), data, follow=True)


class TestList:
    def test_without_endpoints_says_what_to_do_next(self, client, environment):
        text = client.get(address("webhooks:index", environment)).text
        assert "No endpoints yet" in text
        assert address("webhooks:add", environment) in text
        assert "standardwebhooks" in text
        assert environment.app_key in text

    def test_shows_the_state_of_each(self, client, environment):
        make_webhook(environment=environment)
        failing = make_webhook(environment=environment, url=URL + "/failing")
        Webhook.objects.filter(pk=failing.pk).update(failing_since=NOON - HOUR)
        disabled = make_webhook(environment=environment, url=URL + "/disabled")
        webhooks.disable(webhook=disabled, reason="Paused", **AT)
        make_webhook(environment=make_environment(name="Other"), url=URL + "/theirs")
        text = client.get(address("webhooks:index", environment)).text
        assert all(word in text for word in ("Enabled", "Failing", "Disabled"))
        assert "/theirs" not in text

    def test_makes_as_many_queries_for_any_number(
        self, client, environment, django_assert_max_num_queries
    ):
        for _ in range(webhooks.MAX_ENDPOINTS):
            make_webhook(environment=environment)
        with django_assert_max_num_queries(8):
            response = client.get(address("webhooks:index", environment))
        assert "An environment has at most ten endpoints" in response.text

    def test_names_the_permission_that_is_missing(self, client, environment):
        sign_in(client, environment, Role.VIEWER)
        text = client.get(address("webhooks:index", environment)).text
        assert "Needs role admin or owner" in text


class TestAdd:
    def add(self, client, environment, **data):
        data = {"url": URL, "events": ["user.banned"], "format": "standard", **data}
        return client.post(address("webhooks:add", environment), data)

    def test_shows_the_secret_once(self, client, environment):
        response = self.add(client, environment)
        webhook = Webhook.objects.get()
        secret = vault.decrypt(webhook.secret)
        assert response.status_code == 201
        assert secret in response.text
        assert "no-store" in response["Cache-Control"]
        assert secret not in page(client, "webhooks:detail", webhook)

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"url": "http://hooks.example.com/x"}, "begins with https://"),
            ({"url": ""}, "This field is required"),
            ({"url": "https://h/\0"}, "Null characters are not allowed"),
            ({"events": []}, "Choose at least one event"),
            ({"events": ["user.sneezed"]}, "Select a valid choice"),
        ],
    )
    def test_shows_errors_and_keeps_the_input(self, client, environment, wrong, reason):
        response = self.add(client, environment, **wrong)
        assert response.status_code == 422
        assert reason in response.text
        assert wrong.get("url", URL).strip("\0") in response.text
        assert not Webhook.objects.exists()

    def test_offers_the_events_that_the_format_supports(self, client, environment):
        url = address("webhooks:add", environment)
        assert "quota.reached" in client.get(url).text
        rongcloud = client.get(url, {"format": "rongcloud"}).text
        assert "user.deactivated" in rongcloud
        assert "quota.reached" not in rongcloud
        refused = self.add(client, environment, format="rongcloud", events=["quota.reached"])
        assert refused.status_code == 422

    def test_in_a_vendors_format_has_no_secret_of_its_own(self, client, environment):
        response = self.add(client, environment, format="rongcloud", events=["user.online"])
        assert response.status_code == 201
        assert "whsec_" not in response.text
        assert "newest app secret" in response.text

    def test_uses_the_standard_format_for_an_unknown_one(self, client, environment):
        assert client.get(address("webhooks:add", environment), {"format": "x"}).status_code == 200

    def test_refuses_an_eleventh_endpoint(self, client, environment):
        for _ in range(webhooks.MAX_ENDPOINTS):
            make_webhook(environment=environment)
        response = self.add(client, environment)
        assert response.status_code == 422
        assert "at most 10" in response.text


class TestChange:
    def test_changes_it(self, client, webhook):
        data = {"url": URL + "/2", "events": ["user.online"], "format": "nexconn"}
        response = post(client, "webhooks:change", webhook, **data)
        assert "The endpoint is changed" in response.text
        webhook.refresh_from_db()
        assert (webhook.url, webhook.events) == (URL + "/2", ["user.online"])
        assert webhook.format == "nexconn"

    def test_starts_with_the_current_values(self, client, webhook):
        text = page(client, "webhooks:change", webhook)
        assert f'value="{URL}"' in text
        assert text.count("checked") >= len(webhook.events)

    def test_of_another_environments_endpoint_is_404(self, client, environment):
        theirs = make_webhook(environment=make_environment(kind="production"))
        url = address("webhooks:change", environment, theirs.pk)
        assert client.get(url).status_code == 404


class TestDetail:
    def test_shows_deliveries_and_their_results(self, client, webhook):
        make_delivery(webhook=webhook, event="user.banned", data={"user_id": "<mia>"})
        make_delivery(webhook=webhook, attempts=2, status=503, next_attempt_at=NOON + HOUR)
        make_delivery(webhook=webhook, state="delivered", attempts=1, status=204)
        make_delivery(webhook=webhook, state="failed", attempts=11, error="No answer in time")
        text = page(client, "webhooks:detail", webhook)
        for word in ("Waiting", "Retrying", "Delivered", "Given up", "503", "No answer in time"):
            assert word in text
        assert "&quot;user_id&quot;: &quot;&lt;mia&gt;&quot;" in text
        assert text.count("Replay") >= 2

    def test_shows_payloads_in_the_format_of_the_endpoint(self, client, environment):
        webhook = make_webhook(
            environment=environment, format="rongcloud", events=["user.deactivated"]
        )
        data = {"user_id": "mia", "operation_id": "AAAA-BBBB"}
        make_delivery(webhook=webhook, event="user.deactivated", data=data)
        make_delivery(webhook=webhook, event="user.banned", data={"user_id": "from before"})
        text = page(client, "webhooks:detail", webhook)
        assert "userId=mia&amp;operateId=AAAA-BBBB" in text
        assert "from before" in text

    def test_pages_by_keyset_and_can_show_only_failed_deliveries(
        self, client, webhook, django_assert_max_num_queries
    ):
        for number in range(45):
            state = "failed" if number == 0 else "delivered"
            make_delivery(webhook=webhook, message_id=f"m-{number:02}", state=state)
        url = address("webhooks:detail", webhook.environment, webhook.pk)
        with django_assert_max_num_queries(8):
            first = client.get(url).text
        assert "m-44" in first
        assert "m-24" not in first
        cursor = re.search(r"cursor=([\w-]+)", first).group(1)
        assert "m-24" in client.get(url, {"cursor": cursor}).text
        failed = client.get(url, {"state": "failed"}, headers=HTMX).text
        assert "m-00" in failed
        assert "m-01" not in failed
        assert "<html" not in failed

    def test_says_why_nothing_is_sent(self, client, webhook):
        webhooks.disable(webhook=webhook, reason="It answered 410 Gone", **AT)
        text = page(client, "webhooks:detail", webhook)
        assert "It answered 410 Gone" in text
        assert "Enable" in text


class TestActions:
    def test_a_test_event_is_sent(self, client, webhook):
        response = post(client, "webhooks:test", webhook)
        assert "A test event is being sent" in response.text
        assert webhook.deliveries.get().event == "webhook.test"

    def test_a_delivery_is_replayed(self, client, webhook):
        old = make_delivery(webhook=webhook, state="failed")
        url = address("webhooks:replay", webhook.environment, webhook.pk, old.pk)
        response = client.post(url, headers=HTMX)
        assert response.status_code == 204
        assert "deliveries-changed" in response["HX-Trigger"]
        assert webhook.deliveries.waiting().get().message_id == old.message_id

    def test_nothing_is_sent_to_a_disabled_endpoint(self, client, webhook):
        old = make_delivery(webhook=webhook, state="failed")
        webhooks.disable(webhook=webhook, reason="Paused", **AT)
        for response in (
            post(client, "webhooks:test", webhook),
            post(client, "webhooks:replay", webhook, old.pk),
        ):
            assert "Enable it first" in response.text
        assert webhook.deliveries.count() == 1

    def test_says_if_a_delivery_was_removed(self, client, webhook):
        response = post(client, "webhooks:replay", webhook, 4711)
        assert "This delivery was removed" in response.text

    def test_secrets_rotate_without_downtime(self, client, webhook):
        first = vault.decrypt(webhook.secret)
        response = post(client, "webhooks:rotate", webhook)
        assert response.status_code == 201
        webhook.refresh_from_db()
        assert vault.decrypt(webhook.secret) in response.text
        assert first not in response.text
        again = post(client, "webhooks:rotate", webhook)
        assert "Two secrets are already in use" in again.text
        retired = post(client, "webhooks:retire_secret", webhook)
        assert "The former secret is retired" in retired.text
        assert "already retired" in post(client, "webhooks:retire_secret", webhook).text

    def test_disable_and_enable(self, client, webhook):
        make_delivery(webhook=webhook)
        assert "Waiting deliveries are given up" in page(client, "webhooks:disable", webhook)
        assert "is disabled" in post(client, "webhooks:disable", webhook).text
        assert webhook.deliveries.get().state == Delivery.State.FAILED
        assert "The endpoint is enabled" in post(client, "webhooks:enable", webhook).text

    def test_removal_asks_for_the_host(self, client, webhook):
        response = post(client, "webhooks:remove", webhook, confirm="example.com")
        assert response.status_code == 422
        assert "Nothing was removed" in response.text
        removed = post(client, "webhooks:remove", webhook, confirm="hooks.example.com")
        assert "The endpoint is removed" in removed.text
        assert not Webhook.objects.exists()

    @pytest.mark.parametrize(
        ("name", "verb"),
        [
            ("webhooks:change", "change"),
            ("webhooks:rotate", "rotate_secret"),
            ("webhooks:disable", "disable"),
            ("webhooks:enable", "enable"),
            ("webhooks:remove", "remove"),
        ],
    )
    def test_says_if_somebody_else_removed_the_endpoint(
        self, client, webhook, monkeypatch, name, verb
    ):
        def gone(**_):
            raise webhooks.WebhookGone

        monkeypatch.setattr(webhooks, verb, gone)
        data = {"url": URL, "events": ["user.banned"], "confirm": "hooks.example.com"}
        assert "has already removed this endpoint" in post(client, name, webhook, **data).text


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInBrowser:
    @pytest.fixture
    def browser_page(self, page, client, live_server, environment):
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )
        return page

    def test_add_an_endpoint_and_send_a_test_event(self, browser_page, live_server, environment):
        page = browser_page
        page.goto(live_server.url + address("webhooks:index", environment))
        page.get_by_role("link", name="Add an endpoint").click()
        page.get_by_label("Endpoint").fill(URL)
        page.get_by_label("A user was banned").check()
        page.get_by_role("button", name="Add the endpoint").click()
        expect(page.get_by_text("shown only once")).to_be_visible()
        page.get_by_role("button", name="Send a test event").click()
        expect(page.get_by_text("webhook.test", exact=True)).to_be_visible()
        page.get_by_role("link", name="Disable").click()
        page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        expect(page.get_by_text("Nothing is sent")).to_be_visible()
