"""A receipt undoes its change where that is the present state."""

import pytest
from django.utils import timezone

from applications.models import AuditEvent, Role
from moderation import lists, mutes
from moderation.models import Mute
from tests.console.pages import address, sign_in
from tests.factories import api_actor, make_user
from users import attributes, friend_permissions, friends, hosted_profiles, profiles, tags
from users.models import FriendPermission, Friendship

pytestmark = pytest.mark.django_db


def states(environment):
    """Everything that the changes below change."""
    here = {"environment": environment}
    [profile] = hosted_profiles.get_many(user_ids=["mia"], **here)
    sides = Friendship.objects.filter(environment=environment, owner_id="mia")
    return {
        "user": profiles.get(user_id="mia", **here).name,
        "permission": friend_permissions.get_many(user_ids=["mia"], **here),
        "tags": tags.tags_of(user_ids=["mia"], **here),
        "attributes": attributes.get(user_id="mia", **here),
        "profile": profile.basic,
        "friends": list(sides.values_list("friend_id", "alias")),
        "blocklist": lists.blocklist.contains(owner_id="mia", listed_id="ben", **here),
        "allowlist": lists.allowlists_on(owner_ids=["mia"], **here),
        "mutes": mutes.by_channel(user_id="mia", now=timezone.now(), **here).keys(),
    }


CHANGES = {
    "user": lambda at: profiles.update(user_id="mia", name="Other", **at),
    "permission": lambda at: friend_permissions.change(
        user_ids=["mia"], permission=FriendPermission.NOBODY, **at
    ),
    "tags": lambda at: tags.set_tags(user_ids=["mia"], tags=["b"], **at),
    "attributes": lambda at: attributes.merge(user_id="mia", values={"a": "2", "b": "3"}, **at),
    "profile": lambda at: hosted_profiles.set_fields(
        user_id="mia", basic={"email": "b@example.com"}, **at
    ),
    "alias": lambda at: friends.describe(user_id="mia", friend_id="ben", alias="B", **at),
    "friend": lambda at: friends.add(user_id="mia", friend_id="cyd", direct=True, **at),
    "blocklist": lambda at: lists.blocklist.add(owner_id="mia", listed_ids=["ben"], **at),
    "allowlist": lambda at: lists.switch_allowlist(owner_ids=["mia"], on=True, **at),
    "mute": lambda at: mutes.impose(
        user_ids=["mia"], channel=Mute.Channel.GROUP, expires_at=None, **at
    ),
}


@pytest.fixture
def at(environment):
    at = {"environment": environment, "by": api_actor(), "now": timezone.now()}
    for user_id in ("mia", "ben", "cyd"):
        make_user(environment=environment, user_id=user_id, name="Mia")
    tags.set_tags(user_ids=["mia"], tags=["a"], **at)
    attributes.merge(user_id="mia", values={"a": "1"}, **at)
    hosted_profiles.set_fields(user_id="mia", basic={"email": "a@example.com"}, **at)
    friends.add(user_id="mia", friend_id="ben", direct=True, **at)
    return at


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_vendors_call_has_set_is_put_back(client, environment, member, at, what):
    before = states(environment)
    CHANGES[what](at)
    assert states(environment) != before
    line = AuditEvent.objects.latest("pk")
    receipt = client.get(address("audit:line", environment, line.pk))
    undo = address("audit:undo", environment, line.pk)
    assert receipt.context["undo"].url == undo
    assert "Receipt" in client.post(undo, follow=True).text
    assert states(environment) == before
    assert client.post(undo).status_code == 409


def test_needs_the_permission_of_the_change(client, environment, at):
    sign_in(client, environment, Role.MODERATOR)
    CHANGES["tags"](at)
    line = AuditEvent.objects.latest("pk")
    assert client.post(address("audit:undo", environment, line.pk)).status_code == 403


def test_what_was_changed_again_stays(client, environment, member, at):
    CHANGES["tags"](at)
    line = AuditEvent.objects.latest("pk")
    tags.set_tags(user_ids=["mia"], tags=["c"], **at)
    assert client.post(address("audit:undo", environment, line.pk)).status_code == 409
