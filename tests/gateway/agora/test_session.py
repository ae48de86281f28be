"""Clients that speak MSync: let in, refused, put out; what they send, and what they are sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gateway.agora.frames import BodyType, Command, PutOut, Roster, types
from moderation import mutes
from moderation.lists import blocklist
from moderation.models import Mute
from tests.api.agora.calls import USER, access_token, chat
from tests.factories import make_environment, make_switch, make_user, secret_of
from tests.gateway.agora.clients import read
from tests.gateway.live import doing
from tests.gateway.test_kicks import CAUSES
from tests.waiting import eventually
from users import friends, messages, presence, statuses, tokens
from users.models import AppUser, Connection, Message, Notice


@pytest.fixture
def bob(ada):
    return make_user(environment=ada.environment, user_id="bob")


@pytest.fixture
def entered(msync, ada, bob):
    return msync().enter(ada), msync().enter(bob)


def signed_by_app(user, *, app_id="", issued=None, lifetime=600):
    environment = user.environment
    return access_token(
        app_id=app_id or environment.app_key,
        certificate=secret_of(environment),
        services=[chat({USER: lifetime}, user.user_id)],
        issued=int((issued or timezone.now()).timestamp()),
        lifetime=lifetime,
    )


WRONG_TOKEN = (1, "Sorry, token or password does not match login info")


class TestLogin:
    def test_lets_in_and_names_the_device_by_the_clients_resource(self, msync, ada):
        client = msync().enter(ada, name="ADA", resource="webim_web_1795271595112")
        [held] = Connection.objects.all()
        assert (held.user_id, held.resource) == ("ada", "webim_web_1795271595112")
        assert client.ask_unread() == 0

    def test_takes_a_token_that_the_app_signed(self, msync, ada):
        assert msync().login(ada, token=signed_by_app(ada)).code == 0

    @pytest.mark.parametrize(
        ("token", "status"),
        [
            (lambda user: "tok", WRONG_TOKEN),
            (lambda user: "007", WRONG_TOKEN),
            (lambda user: signed_by_app(user, app_id="0" * 32), WRONG_TOKEN),
            (
                lambda user: signed_by_app(user, issued=timezone.now() - timedelta(hours=1)),
                (1, "Sorry, token expired"),
            ),
            (
                lambda user: signed_by_app(AppUser(environment=user.environment, user_id="eve")),
                (1, "Sorry, user not found"),
            ),
            (
                lambda user: tokens.issue(
                    user, now=timezone.now() - timedelta(hours=1), lifetime=timedelta(minutes=1)
                ),
                (1, "Sorry, token expired"),
            ),
            (
                lambda user: tokens.issue(
                    make_user(environment=user.environment), now=timezone.now()
                ),
                WRONG_TOKEN,
            ),
            (
                lambda user: tokens.issue(
                    make_user(environment=make_environment(), user_id="ada"), now=timezone.now()
                ),
                WRONG_TOKEN,
            ),
        ],
        ids=[
            *(
                "unknown",
                "no AccessToken2",
                "another app's",
                "expired AccessToken2",
                "unknown user",
            ),
            *("expired", "another user's", "another environment's"),
        ],
    )
    def test_refuses_with_the_vendors_words(self, msync, ada, token, status):
        client = msync()
        refused = client.login(ada, token=token(ada))
        assert (refused.code, refused.reason) == status
        assert client.closed() == []
        assert not Connection.objects.exists()

    @pytest.mark.parametrize("app", ["nobody#development", "chirp#staging", "chirp", "a\0#b", ""])
    def test_refuses_an_unknown_app(self, msync, ada, app):
        refused = msync().login(ada, app=app or "#")
        assert (refused.code, refused.reason) == WRONG_TOKEN

    @pytest.mark.parametrize("resource", ["webim_" + "x" * 65, "x" * 33 + "_1", "a\n_b"])
    def test_refuses_a_resource_that_is_no_short_text(self, msync, ada, resource):
        assert msync().login(ada, resource=resource).code == 4

    def test_refuses_a_revoked_token_of_either_kind(self, msync, ada):
        soon = timezone.now()
        known = [
            tokens.issue(ada, now=soon),
            signed_by_app(ada, issued=soon - timedelta(seconds=2)),
        ]
        tokens.sign_out_everywhere(**doing(ada), user_id="ada")
        for token in known:
            refused = msync().login(ada, token=token)
            assert (refused.code, refused.reason) == WRONG_TOKEN

    def test_refuses_too_many_devices(self, msync, ada):
        for number in range(presence.MAX_CONNECTIONS):
            msync().enter(ada, resource=f"webim_{number}")
        assert msync().login(ada).code == 13

    def test_puts_out_the_earlier_connection_of_the_same_device(self, msync, ada):
        first, other = msync().enter(ada), msync().enter(ada, resource="webim_2")
        second = msync().enter(ada)
        [*_, last] = first.closed()
        assert read(last.metas[0]).operation == PutOut.OTHER_DEVICE
        assert other.ask_unread() == second.ask_unread() == 0

    def test_refuses_a_flood(self, gateway, msync, ada):
        gateway.gateway.connects_of_token.burst = 0
        refused = msync().login(ada)
        assert (refused.code, refused.reason) == (7, "Sorry, the app online count limit")

    @pytest.mark.parametrize("first", ["text", b"\x0b" * 99, b"", b"\x40\x01"])
    def test_refuses_another_first_frame(self, msync, first):
        client = msync()
        client.say_bytes(first)
        command, answer = client.hear()
        assert (command, answer.status.code) == (Command.PROVISION, 4)
        assert client.closed() == []


# The code of a client that is put out, and that of its next login with the same token.
PUT_OUT = {
    "ban": (PutOut.FORCED, 12),
    "deactivate": (PutOut.REMOVED, 12),
    "delete": (PutOut.REMOVED, 1),
    "password": (PutOut.PASSWORD_CHANGED, 1),
    "sign out": (PutOut.PASSWORD_CHANGED, 1),
    "revoke all": (PutOut.PASSWORD_CHANGED, 1),
    "kick": (PutOut.FORCED, 0),
}


class TestPutOut:
    @pytest.mark.parametrize("cause", CAUSES)
    def test_with_the_vendors_code_so_that_the_client_stays_away(self, msync, ada, cause):
        client = msync().enter(ada, token=(token := tokens.issue(ada, now=timezone.now())))
        CAUSES[cause][0](ada)
        [last] = client.closed()
        [meta] = last.metas
        operation, code = PUT_OUT[cause]
        assert (last.status.code, last.is_last, read(meta).operation) == (0, True, operation)
        assert msync().login(ada, token=token).code == code

    def test_without_a_word_when_the_gateway_stops(self, gateway, msync, ada):
        client = msync().enter(ada)
        gateway.stop()
        assert client.closed() == []


class TestMessages:
    def test_go_both_ways_between_protocols_with_the_true_sender(self, clients, msync, ada, bob):
        client, other = msync().enter(ada), clients.enter(bob)
        sent = client.send("bob", "Hi\n👋")
        heard = other.event()
        assert (heard["from"], heard["body"]) == ("ada", "Hi\n👋")
        assert (sent.status.code, sent.server_id) == (0, heard["message_id"])
        answer = other.send("ada", "Ho")
        [message] = client.receive()
        assert (message.sender, message.shown_sender, message.text) == ("bob", "bob", "Ho")
        assert message.id == answer["message_id"]
        assert eventually(lambda: not Message.objects.filter(pk=message.id, delivered_at=None))

    def test_sent_again_with_the_same_id_are_one(self, entered):
        ada, bob = entered
        first, again = ada.send("bob", "once", id=7), ada.send("bob", "once", id=7)
        assert first.server_id == again.server_id
        assert [each.text for each in bob.receive()] == ["once"]
        assert ada.send("bob", "else", id=7).status.code == 19

    def test_that_wait_are_fetched_in_order_in_batches_and_only_once(self, msync, ada, bob):
        sender = msync().enter(bob)
        texts = [f"{number}" for number in range(45)]
        for text in texts:
            assert sender.send("ada", text).status.code == 0
        client = msync()
        client.login(ada)
        assert client.ask_unread() == 45
        client.fetch()
        heard, keys, last = [], [], None
        while last is None or last.metas:
            _, last = client.hear()
            heard += [read(meta).text for meta in last.metas]
            if last.metas:
                keys.append(last.next_key)
                client.fetch(last.next_key)
        assert (heard, last.is_last) == (texts, True)
        assert len(keys) == len(set(keys)) == 3
        assert eventually(lambda: not Message.objects.filter(delivered_at=None))
        again = msync()
        again.login(ada)
        assert again.ask_unread() == 0

    def test_without_an_acknowledgement_come_again_under_another_key(self, msync, ada, bob):
        msync().enter(bob).send("ada", "still here")
        client = msync()
        client.login(ada)
        client.ask_unread()
        client.fetch()
        first = client.batch()
        client.leave()
        client = msync()
        client.login(ada)
        assert client.ask_unread() == 1
        client.fetch(first.next_key)
        again = client.batch()
        assert [read(meta).text for meta in again.metas] == ["still here"]
        assert again.next_key != first.next_key

    def test_do_not_wait_for_a_batch_that_failed_in_the_clients_page(self, entered):
        ada, bob = entered
        ada.send("bob", "lost")
        assert [read(meta).text for meta in bob.batch().metas] == ["lost"]
        ada.send("bob", "next")
        bob.say(Command.UNREAD)
        assert [each.text for each in bob.receive()] == ["next"]
        waiting = Message.objects.filter(delivered_at=None).values_list("body", flat=True)
        assert eventually(lambda: list(waiting.all()) == ["lost"])

    def test_find_their_recipient_in_any_case(self, entered):
        ada, bob = entered
        assert ada.send("BOB").status.code == 0
        assert bob.receive()[0].sender == "ada"

    @pytest.mark.parametrize(
        ("prepare", "status"),
        [
            (
                lambda ada, bob: blocklist.add(**doing(bob), owner_id="bob", listed_ids=["ada"]),
                (1, "blocked"),
            ),
            (
                lambda ada, bob: make_switch(environment=bob.environment, owner_id="bob"),
                (1, "not in group or chatroom white list"),
            ),
            (
                lambda ada, bob: type(ada.environment).objects.update(friends_only=True),
                (1, "nonroster"),
            ),
            (
                lambda ada, bob: mutes.impose(
                    **doing(ada), user_ids=["ada"], channel=Mute.Channel.DIRECT, expires_at=None
                ),
                (7, "user is mute"),
            ),
            (
                lambda ada, bob: CAUSES["delete"][0](bob),
                (1, "username bob doesn't exist!"),
            ),
            (
                lambda ada, bob: CAUSES["deactivate"][0](bob),
                (1, "username bob doesn't exist!"),
            ),
        ],
        ids=["blocklist", "allowlist", "friends only", "mute", "deleted", "deactivated"],
    )
    def test_are_refused_with_the_vendors_words(self, msync, ada, bob, prepare, status):
        client = msync().enter(ada)
        prepare(ada, bob)
        refused = client.send("bob").status
        assert (refused.code, refused.reason) == status

    def test_that_are_too_long_or_too_many_are_refused(self, monkeypatch, msync, ada, bob):
        client = msync().enter(ada)
        too_long = client.send("bob", "x" * 4_097).status
        assert (too_long.code, too_long.reason) == (7, "Sorry, data is too large")
        assert client.send("bob", "👋" * 4_096).status.code == 0
        for text in ("", "\0"):
            assert client.send("bob", text).status.code == 19
        assert client.send("no such id").status.reason == "username no such id doesn't exist!"
        Message.objects.bulk_create(
            Message(
                environment=ada.environment,
                sender_id="ada",
                recipient_id="bob",
                client_id=f"{number}",
                body="x",
                sent_at=timezone.now(),
            )
            for number in range(messages.MAX_WAITING)
        )
        full = client.send("bob").status
        assert (full.code, full.reason) == (7, "traffic limit")

    def test_of_other_kinds_are_refused_and_say_so(self, entered):
        ada, _ = entered
        kinds = [
            {"content": {"sub_type": 0}},
            {"type": 2},
            {"type": 6},
            {"contents": [types.Content(type=7)]},
            {"contents": []},
            {"namespace": 2},
        ]
        for kind in kinds:
            status = ada._send("bob", **{"type": BodyType.CHAT, **without_text(kind)}).status
            assert (status.code, status.reason[:18]) == (19, "Not supported here"), kind
        assert not Message.objects.exists()


def without_text(kind):
    sub_type = kind.pop("content", None)
    return {"contents": [types.Content(type=0, text="x", **sub_type)]} if sub_type else kind


class TestNotices:
    def test_receipts_reach_the_sender_who_was_away_once(self, msync, ada, bob):
        sender, reader = msync().enter(ada), msync().enter(bob)
        sent = sender.send("bob")
        sender.leave()
        reader.receive()
        for _ in range(2):
            assert reader.say_read("ada", sent.server_id, BodyType.RECEIVED).status.code == 0
            assert reader.say_read("ada", sent.server_id).status.code == 0
        sender = msync().enter(ada)
        receipts = sender.receive()
        assert [(each.type, each.about_id, each.shown_sender) for each in receipts] == [
            (BodyType.RECEIVED, sent.server_id, "bob"),
            (BodyType.READ, sent.server_id, "bob"),
        ]
        assert eventually(lambda: not Notice.objects.filter(delivered_at=None))

    def test_receipts_for_another_users_messages_do_nothing(self, entered):
        ada, _ = entered
        sent = ada.send("bob")
        for message_id in (sent.server_id, 2**64 - 1, 0):
            assert ada.say_read("bob", message_id).status.code == 0
        assert not Notice.objects.exists()

    def test_of_friends_come_as_contact_events(self, entered, ada, bob):
        client, other = entered
        friends.add(**doing(ada), user_id="ada", friend_id="bob", always_ask=True, message="Hi")
        [asked] = other.receive()
        assert (asked.operation, asked.sender, asked.text) == (Roster.INVITED, "ada", "Hi")
        friends.answer(**doing(bob), user_id="bob", sender_id="ada", accept=True)
        heard = client.receive()
        heard += client.receive() if len(heard) == 1 else []
        assert [each.operation for each in heard] == [Roster.AGREED, Roster.ADDED]
        assert [each.operation for each in other.receive()] == [Roster.ADDED]
        friends.remove(**doing(ada), user_id="ada", friend_ids=["bob"])
        assert [each.operation for each in other.receive()] == [Roster.REMOVED]

    def test_of_presence_come_while_connected(self, msync, ada, bob):
        subscriber = msync().enter(ada)
        statuses.subscribe(
            environment=ada.environment,
            owner_id="ada",
            about_ids=["bob"],
            lifetime=timedelta(hours=1),
            now=timezone.now(),
        )
        other = msync().enter(bob, resource="webim_web_2")
        [online] = subscriber.receive()
        assert '"uid": "bob"' in online.text
        assert '"status": {"webim_web_2": "1"}' in online.text
        other.leave()
        [offline] = subscriber.receive()
        assert '"status": {}' in offline.text

    def test_are_found_by_polling_while_redis_is_silent(self, gateway, entered, ada, monkeypatch):
        client, _ = entered
        monkeypatch.setattr("users.bus._send", lambda message: None)
        monkeypatch.setattr("gateway.process.RENEW_EVERY", 0)
        friends.add(**doing(ada), user_id="bob", friend_id="ada", always_ask=True)
        assert client.receive()[0].operation == Roster.INVITED


class TestBadInput:
    def test_costs_only_who_sends_it(self, entered):
        ada, bob = entered
        for bad in ("text", b"\x0b" * 500, b"\x4a\xff\xff\xff\xff\x0f", b"\x40\x63", b"\x40\x03"):
            ada.say_bytes(bad)
        assert ada.send("bob", "still here").status.code == 0
        for _ in range(20):
            ada.say_bytes(b"\xff")
        [last] = ada.closed()
        assert read(last.metas[0]).operation == PutOut.FORCED
        assert [each.text for each in bob.receive()] == ["still here"]

    def test_a_frame_beyond_the_bound_closes_the_socket(self, entered):
        ada, _ = entered
        ada.say_bytes(b"\x00" * 40_000)
        assert ada.closed() == []
