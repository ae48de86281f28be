"""The statement that admits clients and the plain form of its law tell the same story."""

from datetime import timedelta

import pytest
from django.db import connection

from applications.models import Delivery, Environment
from moderation import connecting
from moderation.connecting import Applicant, Entry
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_environment,
    make_gateway,
    make_message,
    make_user,
    make_webhook,
)
from tests.generated import given, st
from tests.moderation import plain_connecting
from users import tokens
from users.models import AppUser, Connection, DeactivatedUser, Message

pytestmark = pytest.mark.django_db

IDS = ["ada", "bob"]
one = st.sampled_from(IDS)
applicants = st.fixed_dictionaries(
    {
        # A user's token, from their first life on, and how old it is.
        "user_id": one,
        "life": st.integers(0, 1),
        "age": st.sampled_from([timedelta(0), HOUR]),
        "stranger": st.sampled_from([False, False, False, True]),
        "after": st.sampled_from([0, 1, 2]),
        "device": st.sampled_from(["", "phone"]),
        "seat": st.sampled_from(["", "", "web", "desk"]),
        "address": st.sampled_from([None, "192.0.2.7", "2001:db8::1"]),
    }
)
admit = st.tuples(st.just("admit"), st.lists(applicants, min_size=1, max_size=4))
steps = st.one_of(
    admit,
    admit,
    st.tuples(st.just("ban"), one, st.sampled_from([MINUTE, None]), st.booleans()),
    st.tuples(st.just("deactivate"), one),
    st.tuples(st.just("delete"), one),
    st.tuples(st.just("register"), one),
    st.tuples(st.just("expire"), st.sampled_from([*IDS, None])),
    st.tuples(st.just("kick"), one),
    st.tuples(st.just("write"), one),
    st.tuples(st.just("wait"), st.sampled_from([MINUTE, 2 * HOUR])),
    st.tuples(st.just("webhook")),
)


class World:
    """An environment in which one of the two forms admits."""

    def __init__(self, form):
        self.form = form
        self.environment = make_environment(kind="production")
        self.of = {"environment": self.environment}
        self.other = make_environment()
        self.gateway = make_gateway(lease_until=NOON + HOUR)
        self.now = NOON
        self.lives = {user_id: [make_user(**self.of, user_id=user_id).pk] for user_id in IDS}
        self.written = [0]

    def admit(self, wanted):
        asked = []
        for each in wanted:
            user_id, lives = each["user_id"], self.lives[each["user_id"]]
            user = AppUser(
                pk=lives[min(each["life"], len(lives) - 1)],
                user_id=user_id,
                environment=self.environment,
            )
            token = tokens.issue(user, now=self.now - each["age"])
            app_key = (self.other if each["stranger"] else self.environment).app_key
            after = self.written[min(each["after"], len(self.written) - 1)]
            more = {"device": each["device"], "address": each["address"], "after": after}
            more["seat"] = each["seat"]
            claims = tokens.read(token, now=self.now)
            asked.append(Applicant(claims=claims, app_key=app_key, **more))
        said = self.form.admit(asked, gateway=self.gateway, now=self.now)
        return [(each.entry, each.connection_id is None, each.until, each.why) for each in said]

    def ban(self, user_id, lasts, told):
        until = self.now + lasts if lasts else None
        connecting_bans = self.environment.bans.filter(user_id=user_id, closed_at=None)
        connecting_bans.delete()
        at = {"imposed_at": self.now, "expires_at": until, "tell_reason": told}
        make_ban(**self.of, user_id=user_id, **at)

    def delete(self, user_id):
        AppUser.objects.filter(**self.of, user_id=user_id).delete()

    def deactivate(self, user_id):
        self.delete(user_id)
        if not DeactivatedUser.objects.filter(**self.of, user_id=user_id).exists():
            make_deactivated(**self.of, user_id=user_id)

    def register(self, user_id):
        DeactivatedUser.objects.filter(**self.of, user_id=user_id).delete()
        if not AppUser.objects.filter(**self.of, user_id=user_id).exists():
            self.lives[user_id].append(make_user(**self.of, user_id=user_id).pk)

    def expire(self, user_id):
        valid = {"tokens_valid_from": self.now}
        if user_id is None:
            Environment.objects.filter(pk=self.environment.pk).update(**valid)
        AppUser.objects.filter(**self.of, user_id=user_id).update(**valid)

    def kick(self, user_id):
        Connection.objects.filter(**self.of, user_id=user_id).update(kicked_at=self.now)

    def write(self, user_id):
        message = make_message(**self.of, sender_id="carl", recipient_id=user_id)
        self.written.append(message.pk)

    def wait(self, lasts):
        self.now += lasts

    def webhook(self):
        make_webhook(**self.of, events=["user.online"])

    def told(self):
        """Every table, but for the keys."""
        devices = ["user_id", "device", "platform", "address", "connected_at", "kicked_at"]
        devices += ["seat", "kick_reason"]
        messages = Message.objects.filter(**self.of).order_by("pk")
        heard = Delivery.objects.filter(webhook__environment=self.environment).order_by("pk")
        return (
            list(Connection.objects.filter(**self.of).order_by("pk").values(*devices)),
            list(
                AppUser.objects.filter(**self.of).order_by("pk").values("user_id", "last_seen_at")
            ),
            list(messages.values("recipient_id", "delivered_at")),
            [(each.event, {**each.data, "connection": None}, each.occurred_at) for each in heard],
        )


@given(story=st.lists(steps, min_size=1, max_size=10))
def test_both_forms_tell_the_same_story(story):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users.presence.MAX_CONNECTIONS", 2)
        swift, plain = World(connecting), World(plain_connecting)
        for word, *values in story:
            said = [getattr(world, word)(*values) for world in (swift, plain)]
            assert said[0] == said[1], (word, values)
            assert swift.told() == plain.told(), (word, values)


def applicant(user):
    claims = tokens.read(tokens.issue(user, now=NOON), now=NOON)
    return Applicant(claims=claims, app_key=user.environment.app_key)


@pytest.mark.django_db(transaction=True)
class TestOutsideATransaction:
    def test_many_are_one_statement(self, django_assert_num_queries):
        users = [make_user(environment=make_environment()) for _ in range(3)]
        asked, gateway = [applicant(user) for user in users], make_gateway()
        with django_assert_num_queries(1):
            said = connecting.admit(asked, gateway=gateway, now=NOON)
        assert [each.entry for each in said] == [Entry.ADMITTED] * 3
        assert Connection.objects.count() == 3

    def test_a_webhook_hears_of_it_in_the_same_transaction(self, monkeypatch):
        user = make_user(environment=make_environment())
        make_webhook(environment=user.environment)
        asked, gateway = [applicant(user)], make_gateway()
        connecting.admit(asked, gateway=gateway, now=NOON)
        assert [each.event for each in Delivery.objects.all()] == ["user.online"]

        def fail(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(Delivery.objects, "bulk_create", fail)
        with pytest.raises(ZeroDivisionError):
            connecting.admit(asked, gateway=gateway, now=NOON)
        assert Connection.objects.count() == 1

    def test_whoever_would_have_to_wait_is_left_out(self, lock_elsewhere):
        """And the others are not."""
        environment = make_environment()
        ada, bob = (make_user(environment=environment, user_id=user_id) for user_id in IDS)
        asked, gateway = [applicant(ada), applicant(bob)], make_gateway()
        with lock_elsewhere(environment, ["ada"]):
            said = connecting.admit(asked, gateway=gateway, now=NOON, wait=False)
        assert [each.entry for each in said] == [Entry.BUSY, Entry.ADMITTED]
        assert Connection.objects.get().user_id == "bob"
        with lock_elsewhere(environment, ["/everybody"]):
            said = connecting.admit(asked, gateway=gateway, now=NOON, wait=False)
        assert [each.entry for each in said] == [Entry.BUSY] * 2
        assert not connection.in_atomic_block


def test_a_device_that_is_open_counts_against_the_next_in_the_same_statement(monkeypatch):
    monkeypatch.setattr("users.presence.MAX_CONNECTIONS", 2)
    ada = make_user(environment=make_environment(), user_id="ada")
    make_connection(environment=ada.environment, user_id="ada", gateway=make_gateway())
    said = connecting.admit([applicant(ada)] * 2, gateway=make_gateway(), now=NOON)
    assert [each.entry for each in said] == [Entry.ADMITTED, Entry.TOO_MANY_CONNECTIONS]
