"""The SQL functions that decide at the gates and their plain form answer the same."""

from datetime import timedelta

import pytest

from moderation import gates
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry, Mute
from tests.factories import (
    HOUR,
    NOON,
    make_ban,
    make_deactivated,
    make_entry,
    make_environment,
    make_message,
    make_switch,
    make_user,
)
from tests.generated import given, st
from tests.moderation import plain_gates
from users.models import AppUser, DeactivatedUser, Friendship

pytestmark = pytest.mark.django_db

IDS = ["ada", "Ada", "bob"]
one = st.sampled_from(IDS)
two = st.tuples(one, one).filter(lambda pair: pair[0] != pair[1])
# From now: over, in force, for good.
ends = st.sampled_from([-timedelta(microseconds=1), timedelta(0), HOUR, None])
WAITING = 2


class World:
    """An environment, in which each word of a story adds or removes rows."""

    def __init__(self, friends_only):
        self.environment = make_environment(friends_only=friends_only)
        self.of = {"environment": self.environment}
        for user_id in IDS:
            make_user(**self.of, user_id=user_id)

    def delete(self, user_id):
        AppUser.objects.filter(**self.of, user_id=user_id).delete()

    def deactivate(self, user_id):
        self.delete(user_id)
        if not DeactivatedUser.objects.filter(**self.of, user_id=user_id).exists():
            make_deactivated(**self.of, user_id=user_id)

    def ban(self, user_id, ends, told):
        Ban.objects.filter(**self.of, user_id=user_id, closed_at=None).delete()
        until = None if ends is None else NOON + ends
        make_ban(**self.of, user_id=user_id, expires_at=until, tell_reason=told)

    def close_ban(self, user_id):
        Ban.objects.filter(**self.of, user_id=user_id, closed_at=None).update(
            closed_at=NOON, closed_by="grace", outcome="lifted"
        )

    def mute(self, user_id, ends, channel):
        Mute.objects.filter(**self.of, user_id=user_id, channel=channel).delete()
        until = None if ends is None else NOON + ends
        Mute.objects.create(
            **self.of, user_id=user_id, channel=channel, imposed_at=NOON - HOUR, expires_at=until
        )

    def befriend(self, pair):
        owner_id, friend_id = pair
        Friendship.objects.get_or_create(
            **self.of, owner_id=owner_id, friend_id=friend_id, defaults={"added_at": NOON}
        )

    def list(self, model, pair):
        owner_id, listed_id = pair
        if not model.objects.of(self.environment, owner_id).filter(listed_id=listed_id).exists():
            make_entry(model, **self.of, owner_id=owner_id, listed_id=listed_id)

    def switch(self, user_id):
        switches = AllowlistSwitch.objects.filter(**self.of, owner_id=user_id)
        if not switches.delete()[0]:
            make_switch(**self.of, owner_id=user_id)

    def write(self, pair, delivered):
        sender_id, recipient_id = pair
        delivered_at = NOON if delivered else None
        make_message(
            **self.of, sender_id=sender_id, recipient_id=recipient_id, delivered_at=delivered_at
        )


steps = st.one_of(
    st.tuples(st.just("delete"), one),
    st.tuples(st.just("deactivate"), one),
    st.tuples(st.just("ban"), one, ends, st.booleans()),
    st.tuples(st.just("close_ban"), one),
    st.tuples(st.just("mute"), one, ends, st.sampled_from(["direct", "group"])),
    st.tuples(st.just("befriend"), two),
    st.tuples(st.just("list"), st.sampled_from([AllowlistEntry, BlocklistEntry]), two),
    st.tuples(st.just("switch"), one),
    st.tuples(st.just("write"), two, st.booleans()),
)


@given(friends_only=st.booleans(), story=st.lists(steps, max_size=8), of_strangers=st.booleans())
def test_both_forms_answer_the_same(friends_only, story, of_strangers):
    world = World(friends_only)
    for word, *values in story:
        getattr(world, word)(*values)
    environment = make_environment() if of_strangers else world.environment
    at = {"environment": environment, "now": NOON}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users.messages.MAX_WAITING", WAITING)
        for user_id in IDS:
            assert gates.may_connect(user_id=user_id, **at) == plain_gates.may_connect(
                user_id=user_id, **at
            )
        for sender_id in IDS:
            for recipient_id in IDS:
                pair = {"sender_id": sender_id, "recipient_id": recipient_id}
                swift = gates.may_message(**pair, **at)
                assert swift == plain_gates.may_message(**pair, **at), pair
