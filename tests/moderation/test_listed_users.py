"""A page of users as plain rows says what the models say."""

import pytest

from moderation import bans
from moderation.listed_users import oldest_first
from tests.factories import DAY, HOUR, NOON, make_ban, make_environment, make_user
from users.models import AppUser

pytestmark = pytest.mark.django_db

ORDER = ["registered_at", "id"]
COLUMNS = ["id", "user_id", "uuid", "name", "push_settings", "registered_at", "changed_at"]


@pytest.fixture
def environment():
    environment = make_environment(kind="production")
    for number in range(7):
        make_user(
            environment=environment,
            user_id=f"user-{number}",
            name="Ada" if number % 2 else "",
            registered_at=NOON - (number // 2) * DAY,  # pairs at the same moment
            changed_at=NOON + HOUR if number == 3 else None,
            push_settings={"nickname": "A"} if number == 4 else {},
        )
    make_user(environment=make_environment(kind="production"), user_id="user-1")
    make_ban(environment=environment, user_id="user-1", expires_at=NOON + HOUR)
    make_ban(environment=environment, user_id="user-2", expires_at=None)
    make_ban(environment=environment, user_id="user-5", expires_at=NOON + HOUR)
    return environment


@pytest.mark.parametrize("size", [1, 3, 8])
def test_each_page_is_as_the_models_say(environment, size, django_assert_num_queries):
    models = list(AppUser.objects.filter(environment=environment).order_by(*ORDER))
    assert len(models) == 7
    after = None
    while models:
        expected, models = models[:size], models[size:]
        with django_assert_num_queries(1):
            users = oldest_first(environment=environment, after=after, limit=size)
        bans_of = bans.latest(environment=environment, user_ids=[user.user_id for user in users])
        for user, model in zip(users, expected, strict=True):
            for name in COLUMNS:
                assert getattr(user, name) == getattr(model, name)
            ban = bans_of.get(user.user_id)
            assert (user.ban is None) == (ban is None)
            for now in (NOON, NOON + HOUR, NOON + 99 * DAY):
                if user.ban and ban:
                    assert user.ban.is_in_force(now) == ban.is_in_force(now)
                    assert user.ban.changed_at(now) == ban.changed_at(now)
        after = [getattr(users[-1], name) for name in ORDER]
    assert not oldest_first(environment=environment, after=after, limit=size)
