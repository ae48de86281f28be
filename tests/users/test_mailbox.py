"""The statements that read and acknowledge messages and their plain form tell the same story."""

import pytest

from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    make_connection,
    make_deactivated,
    make_environment,
    make_message,
    make_user,
)
from tests.generated import given, st
from tests.users import plain_mailbox
from users import messages, notices
from users.messages import Receipt, Unread
from users.models import AppUser, Connection, Message, Notice, NoticeKind

pytestmark = pytest.mark.django_db

IDS = ["ada", "bob"]
one = st.sampled_from(IDS)
numbers = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.just("write"), one, one),
    st.tuples(st.just("write"), one, one, st.one_of(st.none(), numbers)),
    st.tuples(st.just("notice"), one),
    st.tuples(st.just("connect"), one),
    st.tuples(st.just("kick"), numbers),
    st.tuples(st.just("deactivate"), one),
    st.tuples(st.just("wait"), st.sampled_from([MINUTE, 5 * DAY])),
    st.tuples(
        st.just("read"), st.lists(st.tuples(numbers, numbers, st.integers(1, 3)), min_size=1)
    ),
    st.tuples(st.just("read_notices"), st.lists(st.tuples(numbers, st.integers(1, 3)), min_size=1)),
    st.tuples(st.just("count"), st.lists(numbers, min_size=1)),
    st.tuples(
        st.just("acknowledge"),
        st.lists(st.tuples(numbers, st.lists(numbers, min_size=1, max_size=4)), min_size=1),
    ),
)


class Swift:
    undelivered, acknowledge = messages.undelivered, messages.acknowledge
    waiting_counts, read_notices = messages.waiting_counts, notices.undelivered


class World:
    """An environment in which one of the two forms reads and acknowledges."""

    def __init__(self, form):
        self.form = form
        self.environment = make_environment()
        self.of = {"environment": self.environment}
        self.now = NOON
        self.held, self.written, self.noticed = [], [], []
        for user_id in IDS:
            make_user(**self.of, user_id=user_id)
            self.connect(user_id)
            self.write(user_id, "ada")

    def connect(self, user_id):
        held = make_connection(**self.of, user_id=user_id, connected_at=self.now)
        self.held.append(held.pk)

    def write(self, sender_id, recipient_id, device=None):
        pair = {"sender_id": sender_id, "recipient_id": recipient_id}
        more = {"sent_at": self.now, "extra": '[{"n":1}]'}
        if device is not None:
            more["sent_from"] = self._held(device)
        self.written.append(make_message(**self.of, **pair, **more).pk)

    def notice(self, recipient_id):
        """One that is known already to connections that open from now on."""
        made = Notice.objects.create(
            **self.of,
            recipient_id=recipient_id,
            sender_id="eve",
            kind=NoticeKind.FRIEND_REQUESTED,
            text="Hi",
            posted_at=self.now,
            delivered_at=self.now if len(self.noticed) % 2 else None,
        )
        self.noticed.append(made.pk)

    def kick(self, number):
        Connection.objects.filter(pk=self._held(number)).update(kicked_at=self.now)

    def deactivate(self, user_id):
        if AppUser.objects.filter(**self.of, user_id=user_id).delete()[0]:
            make_deactivated(**self.of, user_id=user_id)

    def wait(self, lasts):
        self.now += lasts

    def read(self, asked):
        found = self.form.undelivered(
            [
                Unread(self._held(number), self._written(after) - 1, limit)
                for number, after, limit in asked
            ],
            now=self.now,
        )
        return [
            [(self.written.index(each.pk), *each[1:]) for each in of_connection]
            for of_connection in found
        ]

    def read_notices(self, asked):
        found = self.form.read_notices(
            [Unread(self._held(number), 0, limit) for number, limit in asked], now=self.now
        )
        return [
            [
                (self.noticed.index(each.pk), each.sender_id, each.kind, each.text, each.posted_at)
                for each in of_connection
            ]
            for of_connection in found
        ]

    def count(self, numbers):
        return self.form.waiting_counts([self._held(each) for each in numbers], now=self.now)

    def acknowledge(self, receipts):
        return self.form.acknowledge(
            [
                Receipt(self._held(number), [self._written(each) for each in received])
                for number, received in receipts
            ],
            now=self.now,
        )

    def _held(self, number):
        return self.held[number % len(self.held)]

    def _written(self, number):
        return self.written[number % len(self.written)]

    def told(self):
        told = ["sender_id", "recipient_id", "delivered_at"]
        return list(Message.objects.filter(**self.of).order_by("pk").values(*told))


@given(story=st.lists(steps, min_size=1, max_size=12))
def test_both_forms_tell_the_same_story(story):
    swift, plain = World(Swift), World(plain_mailbox)
    for word, *values in story:
        said = [getattr(world, word)(*values) for world in (swift, plain)]
        assert said[0] == said[1], (word, values)
        assert swift.told() == plain.told(), (word, values)
