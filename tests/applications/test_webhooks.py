from dataclasses import replace

import pytest

from applications import vault, webhooks
from applications.models import AuditEvent, Delivery, Webhook
from applications.webhook_formats import STANDARD
from applications.webhooks import InvalidEndpoint, TooManySecrets, WebhookGone
from tests.factories import NOON, make_delivery, make_environment, make_webhook, staff_actor

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}
URL = "https://hooks.example.com/in"


@pytest.fixture
def webhook(environment):
    return make_webhook(environment=environment)


def add(environment, *, url=URL, events=("user.banned",), format="standard"):
    return webhooks.add(environment=environment, url=url, events=events, format=format, **AT)


def lines(type):
    return AuditEvent.objects.filter(type=type)


class TestAdd:
    def test_answers_with_the_secret_which_is_stored_encrypted(self, environment):
        new = add(environment, events=["user.deleted", "user.banned", "user.banned"])
        assert new.secret.startswith("whsec_")
        assert new.secret not in new.webhook.secret
        assert vault.decrypt(new.webhook.secret) == new.secret
        assert new.webhook.events == ["user.banned", "user.deleted"]

    def test_leaves_a_line_without_the_secret(self, environment):
        new = add(environment)
        [line] = lines("webhook.added")
        assert line.after == {"url": URL, "events": ["user.banned"], "format": "standard"}
        assert new.secret not in str(line.__dict__)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"url": "http://hooks.example.com/"}, "url"),
            ({"url": "https://hooks.example.com/" + "a" * 500}, "url"),
            ({"events": []}, "events"),
            ({"events": ["user.sneezed"]}, "events"),
            ({"events": ["webhook.test"]}, "events"),
            ({"format": "morse"}, "format"),
        ],
    )
    def test_refuses_what_would_never_work(self, environment, wrong, field):
        with pytest.raises(InvalidEndpoint) as refusal:
            add(environment, **wrong)
        assert refusal.value.field == field
        assert not Webhook.objects.exists()

    def test_refuses_events_that_the_format_has_no_words_for(self, environment, monkeypatch):
        terse = replace(STANDARD, events=("user.online",))
        monkeypatch.setattr(webhooks, "formats_of_vendors", lambda: {"terse": terse})
        with pytest.raises(InvalidEndpoint, match=r"does not support user\.banned"):
            add(environment, events=["user.online", "user.banned"], format="terse")

    def test_refuses_the_eleventh(self, environment):
        for _ in range(webhooks.MAX_ENDPOINTS):
            add(environment)
        with pytest.raises(InvalidEndpoint, match="at most 10"):
            add(environment)
        add(make_environment(application=environment.application, kind="production"))


class TestChange:
    def change(self, webhook, **wanted):
        wanted = {"url": webhook.url, "events": ["user.banned"], "format": "standard", **wanted}
        webhooks.change(webhook=webhook, **wanted, **AT)

    def test_writes_down_what_it_was(self, webhook):
        self.change(webhook, url=URL + "/2")
        webhook.refresh_from_db()
        assert (webhook.url, webhook.events) == (URL + "/2", ["user.banned"])
        [line] = lines("webhook.changed")
        assert (line.before["url"], line.after["url"]) == (URL, URL + "/2")

    def test_of_nothing_leaves_no_line(self, webhook):
        self.change(webhook, events=webhook.events)
        assert not lines("webhook.changed").exists()

    def test_refuses_an_address_that_is_none(self, webhook):
        with pytest.raises(InvalidEndpoint):
            self.change(webhook, url="nowhere")

    def test_of_one_that_is_gone(self, webhook):
        Webhook.objects.all().delete()
        with pytest.raises(WebhookGone):
            self.change(webhook)


class TestSecrets:
    def test_the_one_before_stays_until_it_is_retired(self, webhook):
        first = vault.decrypt(webhook.secret)
        second = webhooks.rotate_secret(webhook=webhook, **AT)
        webhook.refresh_from_db()
        live = STANDARD.signing_secrets
        assert live(webhook) == [second, first]
        for _ in range(2):
            webhooks.retire_former_secret(webhook=webhook, **AT)
        webhook.refresh_from_db()
        assert live(webhook) == [second]
        assert lines("webhook.secret_added").count() == 1
        assert lines("webhook.secret_revoked").count() == 1

    def test_are_never_more_than_two(self, webhook):
        webhooks.rotate_secret(webhook=webhook, **AT)
        with pytest.raises(TooManySecrets):
            webhooks.rotate_secret(webhook=webhook, **AT)


class TestDisable:
    def test_gives_up_what_waits_and_stops_listening(self, webhook):
        delivery = make_delivery(webhook=webhook)
        for _ in range(2):
            webhooks.disable(webhook=webhook, reason="Paused by grace", **AT)
        webhook.refresh_from_db()
        delivery.refresh_from_db()
        assert webhook.is_disabled
        assert delivery.state == Delivery.State.FAILED
        assert not Webhook.objects.listening().exists()
        assert lines("webhook.disabled").count() == 1

    def test_is_undone_by_enable(self, webhook):
        webhooks.disable(webhook=webhook, reason="Paused", **AT)
        Webhook.objects.update(failing_since=NOON)
        for _ in range(2):
            webhooks.enable(webhook=webhook, **AT)
        webhook.refresh_from_db()
        assert (webhook.disabled_at, webhook.disabled_reason) == (None, "")
        assert webhook.failing_since is None
        assert lines("webhook.enabled").count() == 1


class TestRemove:
    def test_takes_the_log_along(self, webhook):
        make_delivery(webhook=webhook)
        webhooks.remove(webhook=webhook, **AT)
        assert not Delivery.objects.exists()
        assert lines("webhook.removed").get().before == {"url": URL}

    @pytest.mark.parametrize(
        "verb",
        [
            webhooks.remove,
            webhooks.rotate_secret,
            webhooks.retire_former_secret,
            webhooks.enable,
            lambda **at: webhooks.disable(reason="Paused", **at),
        ],
    )
    def test_is_told_to_whoever_comes_later(self, webhook, verb):
        Webhook.objects.filter(pk=webhook.pk).delete()
        with pytest.raises(WebhookGone):
            verb(webhook=webhook, **AT)
