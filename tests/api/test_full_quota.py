"""Law 6: a refusal says limit, used, and how to free places, also to programs."""

import pytest

from applications.models import FREE_USER_LIMIT
from tests.api.agora.calls import Agora
from tests.api.callers import Nexconn, RongCloud
from tests.factories import DAY, NOON, make_environment, make_user, make_users

pytestmark = pytest.mark.usefixtures("at_noon")


def through_rongcloud(environment):
    return RongCloud(environment)("getToken", userId="new", name="New")


def through_nexconn(environment):
    return Nexconn(environment)("auth/access-token/issue", userId="new", name="New")


def through_agora(environment):
    return Agora(environment)("POST", "users", {"username": "new", "password": "secret"})


DOORS = pytest.mark.parametrize(
    "register", [through_rongcloud, through_nexconn, through_agora], ids=lambda door: door.__name__
)


@DOORS
def test_names_whom_nobody_would_miss(environment, register):
    make_users(environment=environment, count=FREE_USER_LIMIT - 1)
    make_user(environment=environment, user_id="old", registered_at=NOON - 9 * DAY)
    status, body = register(environment)
    assert status >= 400
    assert (body["quota"]["limit"], body["quota"]["used"]) == (FREE_USER_LIMIT, FREE_USER_LIMIT)
    assert body["quota"]["candidates"][0] == {
        "user_id": "old",
        "reason": "Never connected in 9 days since registration",
    }
    assert len(body["quota"]["candidates"]) <= 5


@DOORS
def test_names_nobody_in_production_and_nobody_who_is_needed(db, register):
    production, development = (make_environment(kind=k) for k in ("production", "development"))
    for environment in (production, development):
        for user in make_users(environment=environment, count=FREE_USER_LIMIT):
            user.last_seen_at = NOON
            user.save()
        assert register(environment)[1]["quota"]["candidates"] == []
