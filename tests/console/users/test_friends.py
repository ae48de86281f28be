"""A user's friends and personal data: fragments of the user's page."""

import pytest

from applications.models import Role
from tests.console.pages import address, sign_in
from tests.factories import NOON, make_environment, make_message, make_user, staff_actor
from users import attributes, friend_permissions, friends, hosted_profiles, tags
from users.models import FriendPermission, FriendRequest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def environment(client):
    environment = make_environment()
    sign_in(client, environment)
    for user_id in ("mia", "ben"):
        make_user(environment=environment, user_id=user_id)
    return environment


def befriend(environment, **options):
    friends.add(
        environment=environment,
        user_id="ben",
        friend_id="mia",
        by=staff_actor(),
        now=NOON,
        **options,
    )


def ask_mia(environment):
    friend_permissions.change(
        environment=environment,
        user_ids=["mia"],
        permission=FriendPermission.APPROVAL,
        by=staff_actor(),
        now=NOON,
    )
    befriend(environment, message="We met yesterday")


def are_friends(environment):
    return bool(friends.friends_among(environment=environment, user_id="mia", others=["ben"]))


class TestFriends:
    def test_shows_requests_and_the_permission(self, client, environment):
        ask_mia(environment)
        page = client.get(address("users:friends", environment, "mia")).text
        assert "We met yesterday" in page
        assert "after approval" in page
        asked = client.get(address("users:friends", environment, "ben")).text
        assert "no answer yet" in asked


class TestFriendRemove:
    def test_removes_both_sides_after_confirmation(self, client, environment):
        befriend(environment, direct=True)
        url = address("users:remove_friend", environment, "mia", "ben")
        assert "will no longer be friends" in client.get(url).text
        assert are_friends(environment)
        client.post(url)
        assert not are_friends(environment)

    def test_says_if_they_are_not_friends(self, client, environment):
        url = address("users:remove_friend", environment, "mia", "nobody")
        assert "were not friends" in client.post(url, follow=True).text

    def test_is_not_for_moderators(self, client, environment):
        befriend(environment, direct=True)
        sign_in(client, environment, Role.MODERATOR)
        assert (
            client.post(address("users:remove_friend", environment, "mia", "ben")).status_code
            == 403
        )
        assert "Needs role" in client.get(address("users:friends", environment, "mia")).text


class TestFriendAnswer:
    @pytest.mark.parametrize(("answer", "then"), [("accept", True), ("decline", False)])
    def test_answers_for_the_user(self, client, environment, answer, then):
        ask_mia(environment)
        client.post(address("users:answer_friend", environment, "mia", "ben"), {"answer": answer})
        assert are_friends(environment) is then
        assert not FriendRequest.objects.exists()

    def test_says_if_there_is_no_request(self, client, environment):
        url = address("users:answer_friend", environment, "mia", "ben")
        response = client.post(url, {"answer": "accept"}, follow=True)
        assert "mia has no request from ben" in response.text
        assert not are_friends(environment)


class TestPersonalData:
    def test_shows_profile_attributes_tags_and_waiting_messages(self, client, environment):
        by = {"environment": environment, "by": staff_actor(), "now": NOON}
        hosted_profiles.set_fields(user_id="mia", basic={"location": "Lisbon"}, **by)
        attributes.merge(user_id="mia", values={"theme": "dark"}, **by)
        tags.set_tags(user_ids=["mia"], tags=["beta"], **by)
        make_message(environment=environment, sender_id="ben", recipient_id="mia")
        response = client.get(address("users:personal_data", environment, "mia"))
        for shown in ("Lisbon", "theme", "dark", "beta"):
            assert shown in response.text
        assert response.context["waiting"] == 1

    def test_is_empty_for_an_unknown_id(self, client, environment):
        page = client.get(address("users:personal_data", environment, "nobody"))
        assert page.status_code == 200
        assert page.text.count('<span class="muted">none</span>') == 4
