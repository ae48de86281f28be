"""A user's name and avatar."""

import pytest

from applications.models import AuditEvent
from tests.factories import NOON, make_environment, make_user, staff_actor
from users import profiles
from users.identity import InvalidProfile
from users.tokens import UnknownUsers

pytestmark = pytest.mark.django_db


def update(environment, user_id, **given):
    return profiles.update(
        environment=environment, user_id=user_id, by=staff_actor(), now=NOON, **given
    )


def test_what_is_given_changes_and_the_rest_stays():
    user = make_user(environment=make_environment(), name="Ada", avatar_url="a.png")
    update(user.environment, user.user_id, name="Ada L.")
    user.refresh_from_db()
    assert (user.name, user.avatar_url) == ("Ada L.", "a.png")
    line = AuditEvent.objects.get(type="user.updated")
    assert (line.before, line.after) == ({"name": "Ada"}, {"name": "Ada L."})


def test_push_settings_are_merged_and_an_empty_text_removes_one():
    user = make_user(environment=make_environment(), push_settings={"style": 1, "token": "x"})
    update(user.environment, user.user_id, push_settings={"token": "", "quiet": True})
    user.refresh_from_db()
    assert user.push_settings == {"style": 1, "quiet": True}
    assert user.changed_at == NOON
    with pytest.raises(InvalidProfile):
        update(user.environment, user.user_id, push_settings={"much": "x" * 4_096})


def test_an_unknown_user_or_one_of_another_environment_is_refused():
    user = make_user(environment=make_environment())
    with pytest.raises(UnknownUsers):
        update(make_environment(), user.user_id, name="Other")


def test_what_is_out_of_bounds_changes_nothing():
    user = make_user(environment=make_environment(), name="Ada")
    with pytest.raises(InvalidProfile):
        update(user.environment, user.user_id, name="a" * 101, avatar_url="b.png")
    user.refresh_from_db()
    assert (user.name, user.avatar_url) == ("Ada", "")
