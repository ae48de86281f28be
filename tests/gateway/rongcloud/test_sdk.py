"""RongCloud's own web SDK, unchanged, in a browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from applications.models import Environment
from gateway.closings import Closing, Reason
from moderation import mutes
from moderation.models import Mute
from tests.factories import (
    HOUR,
    make_connection,
    make_environment,
    make_gateway,
    make_switch,
    make_user,
)
from tests.gateway.live import doing
from tests.gateway.test_kicks import CAUSES
from tests.gateway.test_messages import block
from users import extras, messages, presence, tokens
from users.models import Connection, Message, Notice

pytestmark = pytest.mark.browser


@pytest.fixture
def bob(ada):
    return make_user(environment=ada.environment, user_id="bob")


@pytest.mark.parametrize("version", ["5.38", "5.28"])
def test_messages_go_both_ways_in_order_and_once(apps, clients, ada, bob, version):
    """The other side speaks Rollcall's own protocol."""
    app = apps(ada, version).enter()
    assert Connection.objects.get().platform.removeprefix("browser ").startswith("Chrome")
    other = clients.enter(bob)
    sent = app.say("bob", "hello, 你好, 😀")
    event = other.event()
    assert (event["from"], event["body"]) == ("ada", "hello, 你好, 😀")
    assert sent["data"]["messageUId"] == str(event["message_id"])
    texts = [f"{number} 👋" for number in range(20)]
    for text in texts:
        assert other.send("ada", text)["ok"]
    assert app.hear(20) == [["bob", text] for text in texts]
    assert clients.eventually(lambda: waiting(ada) == 0)
    # What comes while the app is shut waits, and what came does not come again.
    app.page.goto("about:blank")
    assert clients.eventually(lambda: not Connection.objects.filter(user_id="ada").exists())
    other.send("ada", "while you were away")
    assert waiting(ada) == 1
    app.enter()
    assert app.hear(1) == [["bob", "while you were away"]]
    assert clients.eventually(lambda: waiting(ada) == 0)
    assert app.errors == []


def waiting(user):
    return messages.waiting_count(
        environment=user.environment, user_id=user.user_id, now=timezone.now()
    )


def test_a_token_that_names_its_host_needs_no_other_setting(apps, ada):
    app = apps(ada)
    app.open(navigators=[])
    token = tokens.issue(ada, now=timezone.now())
    assert app.connect(f"{token}@{app.server}")["code"] == 0


def test_each_refusal_has_its_documented_code(apps, clients, gateway, ada):
    for limit in (gateway.gateway.connects_of_token, gateway.gateway.connects_of_user):
        limit.burst = 1_000
    app = apps(ada)
    now = timezone.now()
    answers = {}

    def attempt(name, token):
        app.open()
        answers[name] = app.connect(token)["code"]
        assert app.events == [["DISCONNECT", answers[name]]], name

    attempt("unknown", "forged")
    attempt("expired", tokens.issue(ada, now=now - 2 * HOUR, lifetime=HOUR))
    attempt("other environment", tokens.issue(make_user(environment=make_environment()), now=now))
    for cause in ("ban", "deactivate", "delete", "sign out"):
        user = make_user(environment=ada.environment)
        token = tokens.issue(user, now=now - timedelta(seconds=1))
        CAUSES[cause][0](user)
        attempt(cause, token)
    held = make_gateway(lease_until=now + HOUR)
    for _ in range(presence.MAX_CONNECTIONS):
        make_connection(environment=ada.environment, user_id="ada", gateway=held)
    attempt("too many connections", tokens.issue(ada, now=now))
    assert answers == {
        "unknown": 31004,
        "expired": 31020,
        "other environment": 31004,
        "ban": 31009,
        "deactivate": 31029,
        "delete": 31004,
        "sign out": 31020,
        "too many connections": 31023,
    }


ENDINGS = {
    "ban": 31011,
    "deactivate": 31029,
    "delete": 31029,
    "password": 31020,
    "sign out": 31020,
    "revoke all": 31020,
    "kick": 31010,
}


def test_whoever_is_thrown_out_is_told_why_and_stays_away(apps, clients):
    for cause, code in ENDINGS.items():
        app = apps(make_user(environment=make_environment())).enter()
        CAUSES[cause][0](app.user)
        app.wait("events.length > 1")
        assert app.events == [["CONNECTED", None], ["DISCONNECT", code]], cause
        sockets = [url for url in app.asked if url.startswith("ws:")]
        assert len(sockets) == 1, cause
        app.context.close()


def test_the_app_comes_back_by_itself_after_a_restart(apps, clients, gateway, ada):
    app = apps(ada).enter()
    [session] = gateway.gateway.registry.all()
    loop = session._task.get_loop()
    loop.call_soon_threadsafe(session.end, Closing(Reason.RESTARTING))
    app.wait("events.length > 2")
    assert app.events == [["CONNECTED", None], ["SUSPEND", 30011], ["CONNECTED", None]]
    assert clients.eventually(lambda: Connection.objects.count() == 1)


def test_a_message_that_a_gate_refuses_has_its_documented_code(apps, clients, ada, bob):
    app = apps(ada).enter()
    assert app.say("nobody")["code"] == 24366
    assert app.say("bob", "x" * (messages.MAX_CHARACTERS + 1))["code"] == 20115
    block(bob, "ada")
    assert app.say("bob")["code"] == 405
    make_switch(environment=ada.environment, owner_id="bob")
    assert app.say("bob")["code"] == 407
    Environment.objects.filter(pk=ada.environment.pk).update(friends_only=True)
    assert app.say("bob")["code"] == 25469
    mutes.impose(**doing(ada), user_ids=["ada"], channel=Mute.Channel.DIRECT, expires_at=None)
    assert app.say("bob")["code"] == 20106
    assert not Message.objects.exists()


def test_what_the_app_adds_and_what_its_user_writes_elsewhere_are_shown(apps, clients, ada, bob):
    app, other = apps(ada).enter(), apps(bob).enter()
    content = {"content": "Hi", "extra": "{}", "user": {"id": "ada", "name": "Ada"}, "mine": [1]}
    options = {
        "pushConfig": {"pushTitle": "Ada", "androidConfig": {"channelIdMi": "mi"}},
        "canIncludeExpansion": True,
        "expansion": {"key": "value"},
        "disableNotification": True,
    }
    sent = (
        "const [content, options] = given, text = new sdk.TextMessage(content);"
        "return (await sdk.sendMessage(conversation('bob'), text, options)).code"
    )
    assert app.run(sent, content, options) == 0
    other.hear(1)
    [received] = other.run("return received")
    assert received["content"] == content
    assert received["expansion"] == {"key": "value"}
    assert received["disableNotification"]
    assert received["pushConfig"]["pushTitle"] == "Ada"
    assert received["pushConfig"]["androidConfig"]["channelIdMi"] == "mi"
    assert app.run(sent, {"content": "x", "extra": "x" * extras.MAX_BYTES}, {}) == 20115
    phone = clients.enter(ada)
    assert phone.send("bob", "from my phone")["ok"]
    app.hear(1)
    own = "return received.map((each) => [each.senderUserId, each.targetId, each.messageDirection])"
    assert app.run(own) == [["ada", "bob", 1]]
    # A second page takes the place of the first one.
    apps(ada).enter()
    app.wait("events.length > 1")
    assert app.events == [["CONNECTED", None], ["DISCONNECT", 31010]]


def test_a_subscriber_is_told_who_comes_and_goes(apps, clients, ada, bob):
    app = apps(ada).enter()
    there = clients.enter(bob)
    answer = app.run("return await sdk.subscribeUserStatus(['bob'], 1, 3600)")
    assert answer["code"] == 0, answer
    app.wait("events.some((each) => each[0] === 'STATUS' && each[2][0] === 1)")
    there.leave()
    app.wait("events.at(-1)[0] === 'STATUS' && events.at(-1)[2][0] === 0")
    clients.enter(bob)
    app.wait("events.at(-1)[0] === 'STATUS' && events.at(-1)[2][0] === 1")
    listed = app.run("return await sdk.getSubscribeUserList(1, 20, 0)")
    assert [each["userId"] for each in listed["data"]] == ["bob"]
    assert app.run("return await sdk.unSubscribeUserStatus(['bob'], 1)")["code"] == 0


def test_a_sender_is_told_that_a_message_was_read(apps, clients, ada, bob):
    app, other = apps(ada).enter(), apps(bob).enter()
    sent = app.say("bob")["data"]
    other.hear(1)
    read = "return (await sdk.sendReadReceiptMessage('ada', ...given)).code"
    assert other.run(read, sent["messageUId"], sent["sentTime"]) == 0
    app.wait("events.length > 1")
    assert app.events[1:] == [["READ", "bob", sent["messageUId"], sent["sentTime"]]]
    assert clients.eventually(lambda: not Notice.objects.filter(delivered_at=None).exists())


def test_what_is_not_served_is_refused_as_not_supported(apps, clients, ada):
    app = apps(ada).enter()
    calls = {
        "a group": "sdk.sendMessage({ conversationType: 3, targetId: 'g' }, "
        "new sdk.TextMessage({ content: 'Hi' }))",
        "a room": "sdk.joinChatRoom('room', { count: -1 })",
        "an image": "sdk.sendMessage(conversation('bob'), "
        "new sdk.ImageMessage({ content: 'x', imageUri: 'y' }))",
        "history": "sdk.getHistoryMessages(conversation('bob'), "
        "{ timestamp: 0, count: 20, order: 0 })",
        "recall": "sdk.recallMessage(conversation('bob'), { messageUId: '1', sentTime: 1 })",
    }
    codes = {name: app.run(f"return await {call}")["code"] for name, call in calls.items()}
    assert codes == dict.fromkeys(calls, 20606)
    # The SDK refuses these by itself: navigation does not offer them.
    assert app.run("return await sdk.getFriends(0)")["code"] == 34330
    assert app.run("return await sdk.getMyUserProfile()")["code"] == 24369


def test_after_too_many_attempts_the_app_is_not_connected_and_may_try_again(apps, gateway, ada):
    app = apps(ada)
    app.open()
    gateway.gateway.connects_of_token.burst = 0
    assert app.connect()["code"] == 35008
    gateway.gateway.connects_of_token.burst = 10
    assert app.connect()["code"] == 0
