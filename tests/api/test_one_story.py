"""The same steps through each vendor's door: register, ban, refuse, lift, admit, deactivate,
refuse, reactivate. After each step the domain is in the same state, whatever the vendor.

Agora Chat has no calls that deactivate an id, so its steps use Nexconn's.
"""

import pytest

from moderation import gates
from moderation.models import Ban
from tests.api.agora.calls import Agora
from tests.api.callers import Nexconn, RongCloud
from tests.factories import NOON
from users import tokens
from users.models import AppUser, DeactivatedUser
from users.tokens import TokenRefused


class ThroughRongCloud:
    def __init__(self, environment):
        self.call = RongCloud(environment)

    def register(self):
        return self.call("getToken", userId="ann", name="Ann")[1].get("token")

    def ban(self):
        return self.call("block", userId="ann", minute=30)[0]

    def lift(self):
        return self.call("unblock", userId="ann")[0]

    def deactivate(self):
        return self.call("deactivate", userId="ann")[0]

    def reactivate(self):
        return self.call("reactivate", userId="ann")[0]


class ThroughNexconn:
    def __init__(self, environment):
        self.call = Nexconn(environment)

    def register(self):
        answer = self.call("auth/access-token/issue", userId="ann", name="Ann")[1]
        return answer.get("result", {}).get("accessToken")

    def ban(self):
        return self.call("user/ban", userIds=["ann"], durationMinutes=30)[0]

    def lift(self):
        return self.call("user/unban", userIds=["ann"])[0]

    def deactivate(self):
        return self.call("user/soft-delete", userIds=["ann"])[0]

    def reactivate(self):
        return self.call("user/restore", userIds=["ann"])[0]


class ThroughAgora:
    def __init__(self, environment):
        self.call = Agora(environment)
        self.neighbour = ThroughNexconn(environment)

    def register(self):
        user = {"username": "ann", "password": "secret", "nickname": "Ann"}
        self.call("POST", "users", user)
        sign_in = {"grant_type": "password", "username": "ann", "password": "secret"}
        return self.call("POST", "token", sign_in, token="")[1].get("access_token")

    def ban(self):
        return self.call("POST", "users/ann/deactivate")[0]

    def lift(self):
        return self.call("POST", "users/ann/activate")[0]

    def deactivate(self):
        return self.neighbour.deactivate()

    def reactivate(self):
        return self.neighbour.reactivate()


@pytest.fixture(params=[ThroughRongCloud, ThroughNexconn, ThroughAgora])
def door(request, environment, at_noon):
    return request.param(environment)


def state(environment):
    """The domain's data about the user, without times and callers."""
    here = {"environment": environment, "user_id": "ann"}
    return {
        "named": list(AppUser.objects.filter(**here).values_list("name", flat=True)),
        "bans": list(Ban.objects.filter(**here).order_by("pk").values_list("outcome", flat=True)),
        "deactivated": DeactivatedUser.objects.filter(**here).exists(),
        "rule": gates.may_connect(environment=environment, user_id="ann", now=NOON).rule,
    }


def admits(environment, token):
    """Whether a connection attempt succeeds: it checks the token, then the gate."""
    try:
        user = tokens.authenticate(environment=environment, token=token, now=NOON)
    except TokenRefused:
        return False
    return gates.may_connect(environment=environment, user_id=user.user_id, now=NOON).allowed


def test_is_the_same_through_each_door(door, environment):
    token = door.register()
    registered = {"named": ["Ann"], "bans": [], "deactivated": False, "rule": "registered"}
    assert state(environment) == registered
    assert admits(environment, token)

    assert door.ban() == 200
    assert state(environment) == {**registered, "bans": [""], "rule": "banned"}
    assert not admits(environment, token)

    assert door.lift() == 200
    lifted = {**registered, "bans": ["lifted"]}
    assert state(environment) == lifted
    assert admits(environment, token)

    assert door.deactivate() == 200
    deactivated = {**lifted, "named": [], "deactivated": True, "rule": "deactivated"}
    assert state(environment) == deactivated
    assert not admits(environment, token)
    assert door.register() is None
    assert state(environment) == deactivated

    assert door.reactivate() == 200
    assert state(environment) == {**lifted, "named": [], "rule": "not_registered"}
    again = door.register()
    assert state(environment) == lifted
    assert admits(environment, again)
    assert not admits(environment, token), "a token from before the deactivation"
