"""One user from registration to deletion."""

from tests.factories import NOON
from users.models import AppUser


def test_a_user_from_registration_to_deletion(agora):
    """Register, sign in, look up, ban, lift, change the password, delete, register again."""
    assert agora("POST", "users", {"username": "Ann", "password": "first"})[0] == 200
    sign_in = {"grant_type": "password", "username": "ann", "password": "first"}
    status, body = agora("POST", "token", sign_in, token="")
    assert status == 200
    own = body["access_token"]
    assert agora("GET", "users/ann", token=own)[1]["entities"][0]["activated"] is True

    assert agora("POST", "users/ann/deactivate")[0] == 200
    assert agora("GET", "users/ann", token=own)[0] == 401
    status, body = agora("POST", "token", sign_in, token="")
    assert (status, body["error_description"]) == (400, "user not activated")

    assert agora("POST", "users/ann/activate")[0] == 200
    assert agora("GET", "users/ann", token=own)[0] == 200

    assert agora("PUT", "users/ann/password", {"newpassword": "second"})[0] == 200
    assert agora("POST", "token", sign_in, token="")[1]["error_description"] == "invalid password"
    again = {**sign_in, "password": "second"}
    assert agora("POST", "token", again, token="")[0] == 200

    assert agora("DELETE", "users/ann")[0] == 200
    assert agora("GET", "users/ann")[0] == 404
    assert agora("POST", "token", again, token="")[1]["error_description"] == "user not found"
    assert agora("GET", "users/ann", token=own)[0] == 401

    assert agora("POST", "users", {"username": "ann", "password": "third"})[0] == 200
    assert AppUser.objects.get().registered_at == NOON
    assert agora("GET", "users/ann", token=own)[0] == 401, "a token from before the deletion"
