"""What belongs to a user in other storeys is announced, and goes in the same transaction."""

from collections import Counter

import pytest

from tests.factories import NOON, api_actor, make_environment, make_user, staff_actor
from users import attributes, deactivation, deletion
from users.erasure import Occasion, erase, erasing
from users.models import AppUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def listener():
    """A storey above that keeps two things of each user, and hears what is announced."""
    heard = []

    def listen(*, environment, user_ids, occasion, now, **_):
        heard.append((environment, user_ids, occasion, now))
        return {"letters": Counter(dict.fromkeys(user_ids, 2)), "stamps": Counter()}

    erasing.connect(listen)
    yield heard
    erasing.disconnect(listen)


@pytest.fixture
def saboteur():
    """A storey above that cannot erase what it keeps."""

    def fail(**_):
        raise OSError

    erasing.connect(fail)
    yield
    erasing.disconnect(fail)


def test_what_every_storey_erased_is_told_for_each_user_without_zeros(listener):
    environment = make_environment()
    attributes.merge(
        environment=environment, user_id="a", values={"k": "v"}, by=staff_actor(), now=NOON
    )
    assert erase(
        environment=environment, user_ids=["a", "b"], occasion=Occasion.DELETION, now=NOON
    ) == {"a": {"attributes": 1, "letters": 2}, "b": {"letters": 2}}


def test_deletion_and_deactivation_announce_who_goes_and_why(listener):
    environment = make_environment()
    make_user(environment=environment, user_id="ada")
    make_user(environment=environment, user_id="bob")
    deletion.delete(environment=environment, user_ids=["ada"], by=staff_actor(), now=NOON)
    deactivation.deactivate(environment=environment, user_ids=["bob"], by=api_actor(), now=NOON)
    assert listener == [
        (environment, ["ada"], Occasion.DELETION, NOON),
        (environment, ["bob"], Occasion.DEACTIVATION, NOON),
    ]


def test_a_storey_that_fails_keeps_the_user_where_they_are(saboteur):
    environment = make_environment()
    make_user(environment=environment, user_id="ada")
    with pytest.raises(OSError):  # noqa: PT011 - any, as long as it comes through
        deletion.delete(environment=environment, user_ids=["ada"], by=staff_actor(), now=NOON)
    assert AppUser.objects.filter(user_id="ada").exists()
    with pytest.raises(OSError):  # noqa: PT011 - any, as long as it comes through
        deactivation.deactivate(environment=environment, user_ids=["ada"], by=api_actor(), now=NOON)
    assert AppUser.objects.filter(user_id="ada").exists()
