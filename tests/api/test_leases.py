"""The header that registers a test user for a limited time, through each vendor's door."""

import pytest

from tests.api.agora.calls import Agora
from tests.api.callers import Nexconn, RongCloud
from tests.factories import HOUR, NOON, make_environment
from users.models import AppUser, Place


def with_lease(call, text):
    call.headers = {**call.headers, "Rollcall-Lease": text}
    return call


def through_rongcloud(environment, text):
    return with_lease(RongCloud(environment), text)("getToken", userId="ci-1", name="Ci")


def through_nexconn(environment, text):
    call = with_lease(Nexconn(environment), text)
    return call("auth/access-token/issue", userId="ci-1", name="Ci")


def through_agora(environment, text):
    call = Agora(environment)
    headers = {"Authorization": f"Bearer {call.token}", "Rollcall-Lease": text}
    user = {"username": "ci-1", "password": "secret"}
    return call("POST", "users", user, headers=headers)


DOORS = pytest.mark.parametrize(
    "register", [through_rongcloud, through_nexconn, through_agora], ids=lambda door: door.__name__
)
pytestmark = pytest.mark.usefixtures("at_noon")


@DOORS
def test_law_32_gives_a_lease_and_the_place_names_the_call(environment, register):
    assert register(environment, "3600")[0] == 200
    place = Place.objects.get()
    assert place.lease_until == NOON + HOUR
    assert environment.app_key in place.taken_by
    assert place.taken_via


@DOORS
@pytest.mark.parametrize("text", ["59", "2h", "-3600", "3.5", "99999999", "9" * 400, "\u0663600"])
def test_that_is_no_number_of_seconds_is_refused_with_the_bounds(environment, register, text):
    status, body = register(environment, text.encode("utf-8").decode("latin-1"))
    assert status == 400
    assert "A lease lasts from 1 minute to 365 days" in str(body)
    assert not AppUser.objects.exists()


@DOORS
def test_law_32_is_refused_in_production(db, register):
    status, body = register(make_environment(kind="production"), "3600")
    assert status == 400
    assert "development only" in str(body)
    assert not AppUser.objects.exists()
