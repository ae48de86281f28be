"""Mutes: who may connect, but not write."""

import pytest

from moderation import mutes
from moderation.models import Mute
from moderation.mutes import InvalidMuteEnd
from tests.factories import HOUR, NOON, make_environment, staff_actor

pytestmark = pytest.mark.django_db

DIRECT, ROOM = Mute.Channel.DIRECT, Mute.Channel.ROOM
AT = {"by": staff_actor(), "now": NOON}


def impose(environment, channel, expires_at):
    mutes.impose(
        environment=environment, user_ids=["ann"], channel=channel, expires_at=expires_at, **AT
    )


def in_force(environment, now=NOON):
    found = mutes.by_channel(environment=environment, user_id="ann", now=now)
    return {channel: mute.expires_at for channel, mute in found.items()}


def test_each_channel_has_its_own_and_the_clock_alone_ends_it():
    environment = make_environment()
    impose(environment, DIRECT, NOON + HOUR)
    impose(environment, ROOM, None)
    assert in_force(environment) == {DIRECT: NOON + HOUR, ROOM: None}
    assert in_force(environment, NOON + HOUR) == {ROOM: None}
    assert in_force(make_environment()) == {}


def test_again_sets_a_new_end_and_lifting_twice_is_no_error():
    environment = make_environment()
    impose(environment, DIRECT, NOON + HOUR)
    impose(environment, DIRECT, NOON + 2 * HOUR)
    assert in_force(environment) == {DIRECT: NOON + 2 * HOUR}
    for _ in range(2):
        mutes.lift(environment=environment, user_ids=["ann"], channel=DIRECT, **AT)
    assert in_force(environment) == {}


def test_must_end_in_the_future():
    with pytest.raises(InvalidMuteEnd):
        impose(make_environment(), DIRECT, NOON)
