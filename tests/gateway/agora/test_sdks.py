"""Agora's and Easemob's web SDKs, unchanged, in a browser, on a page of another origin."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from moderation import bans
from tests import web_sdks
from tests.factories import make_user
from tests.gateway import live
from tests.gateway.agora.clients import app_name
from tests.gateway.live import doing
from tests.gateway.test_kicks import CAUSES
from tests.waiting import PATIENCE, eventually
from users import extras, passwords, tokens
from users.models import Message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SDKS = {
    "agora-chat": "agora-chat/Agora-chat.js",
    "easemob-websdk": "easemob-websdk/Easemob-chat.js",
}


class App:
    """One user's SDK in the page."""

    def __init__(self, page, user, **options):
        self.page, self.user, self.options = page, user, options
        page.evaluate("([user, options]) => openApp(user, options)", [user.user_id, options])

    def call(self, method, *given):
        return self.page.evaluate(
            "([user, method, given]) => callApp(user, method, given)",
            [self.user.user_id, method, list(given)],
        )

    def open(self, **credentials):
        if not credentials:
            credentials = {"accessToken": tokens.issue(self.user, now=timezone.now())}
        return self.call("open", {"user": self.user.user_id, **credentials})

    def send(self, to, text="", **message):
        message = {"type": "txt", "to": to, "msg": text, **message}
        return self.page.evaluate(
            "([user, message]) => sendApp(user, message)", [self.user.user_id, message]
        )

    def event(self, name):
        [data] = self.page.evaluate(
            "([user, name, patience]) => nextEvent(user, name, patience)",
            [self.user.user_id, name, PATIENCE * 1_000],
        )
        return data


@pytest.fixture(params=SDKS)
def apps(request, page, gateway, live_server, environment):
    """Ann's and Bo's apps, which are not open yet."""
    web_sdks.install()
    page.set_default_timeout(PATIENCE * 1000)
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    with web_sdks.origin() as origin:
        page.goto(f"{origin}/page.html")
        page.add_script_tag(url=f"{origin}/node_modules/{SDKS[request.param]}")
        page.add_script_tag(path=Path(__file__).with_name("app.js"))
        yield [
            App(
                page,
                make_user(environment=environment, user_id=user_id),
                appKey=app_name(environment),
                url=f"{gateway.url}/gateway/agora",
                apiUrl=live_server.url,
            )
            for user_id in ("ann", "bo")
        ]
    assert errors == []


def test_the_sdk_works_unchanged(apps, gateway):
    ann, bo = apps

    # Refused.
    assert ann.open(accessToken="tok")["error"] == 28
    old = timezone.now() - timedelta(hours=1)
    expired = tokens.issue(ann.user, now=old, lifetime=timedelta(minutes=1))
    assert ann.open(accessToken=expired)["error"] == 56
    banned = bans.impose(**doing(ann.user), user_ids=["ann"], expires_at=None, reason="spam")
    assert banned
    assert ann.open()["error"] == 57
    bans.lift(**doing(ann.user), user_ids=["ann"])

    # Let in; what waits is fetched.
    assert "ok" in ann.open()
    added = {"n": 1, "d": 0.5, "s": "x", "yes": True, "list": [1, {"a": None}]}
    assert "ok" in ann.send("bo", "while you were away", ext=added)
    assert ann.send("bo", "too much", ext={"long": "x" * extras.MAX_BYTES})["error"] == 511
    passwords.change(**doing(bo.user), user_id="bo", password="a secret")
    assert "ok" in bo.open(pwd="a secret")
    bo.event("onOfflineMessageSyncStart")
    waited = bo.event("onTextMessage")
    assert (waited["msg"], waited["ext"]) == ("while you were away", added)
    bo.event("onOfflineMessageSyncFinish")
    first = ann.event("onDeliveredMessage")

    # Texts, and the receipts for them.
    sent = ann.send("bo", "Hi 👋")["ok"]
    heard = bo.event("onTextMessage")
    assert (heard["from"], heard["msg"], heard["id"]) == ("ann", "Hi 👋", sent["serverMsgId"])
    assert ann.event("onDeliveredMessage")["mid"] == heard["id"] > first["mid"]
    bo.send("ann", type="read", id=heard["id"])
    assert ann.event("onReadMessage")["mid"] == heard["id"]

    # The blocklist, and other refusals.
    bo.call("addUsersToBlocklist", {"name": ["ann"]})
    assert bo.call("getBlocklist")["ok"]["data"] == ["ann"]
    assert ann.send("bo", "hello?")["error"] == 603
    assert bo.send("ann", "you cannot answer").keys() == {"ok"}
    bo.call("removeUserFromBlocklist", {"name": ["ann"]})
    assert bo.call("getBlocklist")["ok"]["data"] == []
    assert ann.send("nobody", "x")["error"] == 204
    assert ann.send("bo", "x" * 4_097)["error"] == 511

    # Contacts.
    ann.call("addContact", "bo", "it is me")
    assert bo.event("onContactInvited")["status"] == "it is me"
    bo.call("acceptContactInvite", "ann")
    assert ann.event("onContactAgreed")["from"] == ann.event("onContactAdded")["from"] == "bo"
    assert "ok" in ann.call("setContactRemark", {"userId": "bo", "remark": "Bobby"})
    assert ann.call("getAllContacts")["ok"]["data"] == [{"userId": "bo", "remark": "Bobby"}]
    ann.call("deleteContact", "bo")
    assert bo.event("onContactDeleted")["from"] == "ann"
    bo.call("addContact", "ann", "again")
    ann.event("onContactInvited")
    ann.call("declineContactInvite", "bo")
    assert bo.event("onContactRefuse")["from"] == "ann"

    # Presence.
    ann.call("subscribePresence", {"usernames": ["bo"], "expiry": 3_600})
    bo.call("publishPresence", {"description": "busy"})
    assert ann.event("onPresenceStatusChange")[0]["ext"] == "busy"
    [status] = ann.call("getPresenceStatus", {"usernames": ["bo"]})["ok"]["result"]
    assert list(status["status"].values()) == ["1"]

    # What is not supported says so.
    assert ann.send("bo", type="custom", customEvent="x", customExts={})["error"] == 502
    assert ann.call("joinChatRoom", {"roomId": "1"})["error"] == 502
    assert ann.call("getHistoryMessages", {"targetId": "bo"})["error"] == 505
    assert ann.call("getJoinedGroups", {"pageNum": 0, "pageSize": 20})["error"] == 505

    # A line that breaks: the SDK comes back, and nothing is lost.
    for line in gateway.protocols:
        line._loop.call_soon_threadsafe(line.transport.abort)
    ann.event("onReconnecting")
    ann.send("bo", "are you back?")
    assert bo.event("onTextMessage")["msg"] == "are you back?"

    # The same device a second time: the first connection is closed, and stays closed.
    assert eventually(lambda: not Message.objects.filter(delivered_at=None).exists())
    second = App(bo.page, bo.user, **bo.options)
    assert "ok" in second.open()
    assert bo.event("onDisconnected")["type"] == 206
    # What is written on another device is shown.
    phone = live.Client(gateway.url)
    phone.say(live.first_frame(bo.user))
    assert phone.hear()["event"] == "connected"
    assert phone.send("ann", "from my phone")["ok"]
    own = bo.event("onTextMessage")
    assert (own["from"], own["to"], own["msg"]) == ("bo", "ann", "from my phone")
    phone.leave()

    # Put out: the SDK says why, and stays away.
    for cause, type in (("kick", 217), ("ban", 217), ("password", 216), ("delete", 207)):
        CAUSES[cause][0](bo.user)
        assert bo.event("onDisconnected")["type"] == type, cause
        bans.lift(**doing(bo.user), user_ids=["bo"])
        if cause != "delete":
            assert "ok" in bo.open()
    assert bo.open()["error"] == 204
