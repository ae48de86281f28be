"""The statement that sends messages and the plain form of its law tell the same story."""

import json

import pytest
from django.db import connection

from moderation import sending
from moderation.models import BlocklistEntry
from moderation.sending import Draft, Fate
from tests.factories import (
    MINUTE,
    NOON,
    make_ban,
    make_connection,
    make_entry,
    make_environment,
    make_user,
)
from tests.generated import given, st
from tests.moderation import plain_sending
from users import bus
from users.models import AppUser, Connection, Message

pytestmark = pytest.mark.django_db

IDS = ["ada", "Ada", "bob"]
one = st.sampled_from(IDS)
drafts = st.tuples(
    one,
    one,
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["Hi", "é\n👋"]),
    st.sampled_from(["", '[{"n":1}]']),
)
send = st.tuples(st.just("send"), st.lists(drafts, min_size=1, max_size=5))
steps = st.one_of(
    send,
    send,
    send,
    st.tuples(st.just("kick"), one),
    st.tuples(st.just("ban"), one),
    st.tuples(st.just("block"), one, one),
    st.tuples(st.just("delete"), one),
    st.tuples(st.just("read"), one),
    st.tuples(st.just("connect"), one),
    st.tuples(st.just("wait"), st.just(MINUTE)),
)


class World:
    """An environment in which one of the two forms sends."""

    def __init__(self, form):
        self.form = form
        self.environment = make_environment()
        self.of = {"environment": self.environment}
        self.now = NOON
        self.held = {}
        for user_id in IDS:
            make_user(**self.of, user_id=user_id)
            self.held[user_id] = make_connection(**self.of, user_id=user_id)

    def send(self, wanted):
        said = self.form.send(
            [
                Draft(
                    environment_id=self.environment.pk,
                    connection_id=self.held[sender_id].pk,
                    sender_id=sender_id,
                    recipient_id=recipient_id,
                    client_id=client_id,
                    body=body,
                    extra=extra,
                )
                for sender_id, recipient_id, client_id, body, extra in wanted
            ],
            now=self.now,
        )
        bodies = dict(Message.objects.values_list("pk", "body"))
        return [
            (each.fate, bodies.get(each.message_id), each.sent_at, each.verdict) for each in said
        ]

    def kick(self, user_id):
        Connection.objects.filter(pk=self.held[user_id].pk).update(kicked_at=self.now)

    def connect(self, user_id):
        make_connection(**self.of, user_id=user_id)

    def ban(self, user_id):
        self.environment.bans.filter(user_id=user_id).delete()
        make_ban(**self.of, user_id=user_id, imposed_at=self.now, expires_at=self.now + MINUTE)

    def block(self, owner_id, listed_id):
        listed = BlocklistEntry.objects.of(self.environment, owner_id).filter(listed_id=listed_id)
        if owner_id != listed_id and not listed.exists():
            make_entry(BlocklistEntry, **self.of, owner_id=owner_id, listed_id=listed_id)

    def delete(self, user_id):
        AppUser.objects.filter(**self.of, user_id=user_id).delete()

    def read(self, user_id):
        Message.objects.filter(**self.of, recipient_id=user_id).update(delivered_at=self.now)

    def wait(self, lasts):
        self.now += lasts

    def told(self):
        told = ["sender_id", "recipient_id", "client_id", "body", "sent_at", "delivered_at"]
        stored = Message.objects.filter(**self.of).order_by("pk")
        copied = [(each.extra, each.sent_from is None) for each in stored]
        return [*stored.values(*told), *copied]


@given(story=st.lists(steps, min_size=1, max_size=8))
def test_both_forms_tell_the_same_story(story):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users.messages.MAX_WAITING", 2)
        swift, plain = World(sending), World(plain_sending)
        for word, *values in story:
            said = [getattr(world, word)(*values) for world in (swift, plain)]
            assert said[0] == said[1], (word, values)
            assert swift.told() == plain.told(), (word, values)


def drafts_of(environment, *pairs):
    held = {
        sender_id: make_connection(environment=environment, user_id=sender_id)
        for sender_id in {sender_id for sender_id, _ in pairs}
    }
    return [
        Draft(environment.pk, held[sender_id].pk, sender_id, recipient_id, str(number), "Hi")
        for number, (sender_id, recipient_id) in enumerate(pairs)
    ]


@pytest.mark.django_db(transaction=True)
class TestOutsideATransaction:
    @pytest.fixture
    def environment(self):
        environment = make_environment()
        for user_id in IDS:
            make_user(environment=environment, user_id=user_id)
        return environment

    def test_many_are_one_statement_and_one_message_to_the_gateways(
        self, environment, django_assert_num_queries, monkeypatch
    ):
        heard = []

        def hear(message):
            assert not connection.in_atomic_block
            heard.append(json.loads(json.dumps(message)))

        monkeypatch.setattr(bus, "_send", hear)
        asked = drafts_of(environment, ("ada", "bob"), ("bob", "ada"), ("ada", "bob"))
        with django_assert_num_queries(1):
            said = sending.send(asked, now=NOON)
        assert [each.fate for each in said] == [Fate.SENT] * 3
        keys = [each.message_id for each in said]
        assert keys == sorted(keys)
        assert heard == [
            {"kind": "deliver", "environment": environment.pk, "user_ids": ["bob", "ada"]}
        ]
        assert [each.fate for each in sending.send(asked, now=NOON)] == [Fate.SENT_BEFORE] * 3
        assert len(heard) == 1

    def test_whoever_would_have_to_wait_is_left_out(self, environment, lock_elsewhere):
        """Because somebody works on the sender or on the recipient; and the others are not."""
        asked = drafts_of(environment, ("ada", "bob"), ("bob", "bob"), ("bob", "ada"))
        with lock_elsewhere(environment, ["ada"]):
            said = sending.send(asked, now=NOON, wait=False)
        assert [each.fate for each in said] == [Fate.BUSY, Fate.SENT, Fate.BUSY]
        assert Message.objects.count() == 1
