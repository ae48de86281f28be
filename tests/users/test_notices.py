"""Notices: of receipts and of friends."""

from datetime import timedelta

import pytest

from tests.factories import (
    NOON,
    make_connection,
    make_environment,
    make_message,
    make_user,
    staff_actor,
)
from users import friends, notices
from users.messages import Unread
from users.models import Notice, NoticeKind
from users.notices import KEPT_FOR, MAX_WAITING, REMEMBERED_FOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    environment = make_environment()
    return [make_user(environment=environment, user_id=name) for name in ("ada", "bob")]


def post(environment, *recipients, kind=NoticeKind.FRIEND_ADDED, **fields):
    pairs = [(recipient, "bob") for recipient in recipients]
    notices.post(kind, pairs, **{"environment": environment, "now": NOON, **fields})


def told(environment, user_id="ada"):
    found = Notice.objects.filter(environment=environment, recipient_id=user_id).order_by("pk")
    return [(each.kind, each.sender_id) for each in found]


def receipt(message, reader, kind=NoticeKind.READ):
    notices.post_receipt(
        environment=message.environment,
        reader_id=reader,
        message_id=message.pk,
        kind=kind,
        now=NOON,
    )


class TestReceipts:
    def test_reach_the_messages_sender_once_for_each_kind(self, pair):
        message = make_message(environment=pair[0].environment, sender_id="ada", recipient_id="bob")
        for kind in (NoticeKind.RECEIVED, NoticeKind.READ, NoticeKind.READ):
            receipt(message, "bob", kind)
        assert told(message.environment) == [("received", "bob"), ("read", "bob")]

    def test_are_ignored_from_anybody_but_the_recipient(self, pair):
        message = make_message(environment=pair[0].environment, sender_id="ada", recipient_id="bob")
        for reader in ("ada", "eve"):
            receipt(message, reader)
        assert not Notice.objects.exists()


class TestFriends:
    def test_are_told_what_the_other_did(self, pair):
        environment = pair[0].environment
        doing = {"environment": environment, "by": staff_actor(), "now": NOON}
        friends.add(**doing, user_id="bob", friend_id="ada", always_ask=True)
        friends.answer(**doing, user_id="ada", sender_id="bob", accept=False)
        friends.add(**doing, user_id="bob", friend_id="ada", direct=True)
        friends.remove(**doing, user_id="bob", friend_ids=["ada"])
        assert told(environment) == [
            ("friend_requested", "bob"),
            ("friend_added", "bob"),
            ("friend_removed", "bob"),
        ]
        assert told(environment, "bob") == [("friend_declined", "ada"), ("friend_added", "ada")]


class TestWaiting:
    def test_ends_for_later_connections_with_the_first_acknowledgement(self, pair):
        environment = pair[0].environment
        post(environment, "ada")
        [notice] = Notice.objects.all()
        here, later = (
            make_connection(environment=environment, user_id="ada", connected_at=NOON + offset)
            for offset in (timedelta(0), timedelta(hours=2))
        )
        ada = {"environment": environment, "user_id": "ada"}
        notices.acknowledge(**ada, notice_ids=[notice.pk], now=NOON + timedelta(hours=1))

        def undelivered(connection, after=0):
            asked = Unread(connection.pk, after, 10)
            [found] = notices.undelivered([asked], now=NOON + timedelta(hours=2))
            return found

        assert undelivered(here) == [notice]
        assert undelivered(here, after=notice.pk) == []
        assert undelivered(later) == []

    def test_has_a_bound_for_each_user(self, pair, django_assert_num_queries):
        environment = pair[0].environment
        Notice.objects.bulk_create(
            Notice(
                environment=environment,
                recipient_id="ada",
                sender_id="bob",
                kind=NoticeKind.FRIEND_ADDED,
                posted_at=NOON,
            )
            for _ in range(MAX_WAITING)
        )
        with django_assert_num_queries(4):  # with the savepoint
            post(environment, "ada", "eve", "mia")
        assert len(told(environment)) == MAX_WAITING
        assert told(environment, "eve") == told(environment, "mia") == [("friend_added", "bob")]

    def test_ends_after_a_week_and_delivered_ones_go_after_a_day(self, pair):
        environment = pair[0].environment
        post(environment, "ada", now=NOON - KEPT_FOR)
        post(environment, "ada", now=NOON - REMEMBERED_FOR)
        post(environment, "ada", now=NOON - REMEMBERED_FOR)
        waiting = Notice.objects.order_by("pk")[1]
        Notice.objects.exclude(pk=waiting.pk).update(delivered_at=NOON)
        assert notices.purge(now=NOON) == 2
        assert list(Notice.objects.all()) == [waiting]
