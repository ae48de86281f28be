"""Passwords of app users: worth nothing to who reads the database, and a new one ends the old."""

import pytest

from applications import vault
from tests.factories import (
    NOON,
    api_actor,
    make_connection,
    make_token,
    make_user,
)
from users import passwords, tokens
from users.models import AppUser, Connection
from users.passwords import InvalidPassword
from users.tokens import TokenRevoked, UnknownUsers

pytestmark = pytest.mark.django_db


def change(environment, user_id="ann"):
    passwords.change(
        environment=environment,
        user_id=user_id,
        password="correct horse",
        by=api_actor(),
        now=NOON,
    )
    return AppUser.objects.get(user_id=user_id)


class TestPassword:
    def test_is_the_right_one_or_not(self, environment):
        ann = make_user(environment=environment, user_id="ann")
        assert not passwords.is_correct(ann, "")
        assert not passwords.is_correct(ann, "correct horse")

        ann = change(environment)
        assert passwords.is_correct(ann, "correct horse")
        assert not passwords.is_correct(ann, "Correct horse")
        assert not passwords.is_correct(ann, "\ud800")

    def test_is_stored_so_that_nothing_shows(self, monkeypatch):
        first, second = passwords.encode("same"), passwords.encode("same")
        assert first != second
        assert "same" not in first

        user = AppUser(password=first)
        assert passwords.is_correct(user, "same")
        monkeypatch.setattr(vault, "macs", lambda purpose, text: [b"another key's"])
        assert not passwords.is_correct(user, "same")

    @pytest.mark.parametrize("password", ["", "x" * 65, "é" * 33, "a\x00b"])
    def test_has_1_to_64_bytes(self, password):
        with pytest.raises(InvalidPassword):
            passwords.encode(password)


class TestChange:
    def test_ends_what_the_old_one_opened(self, environment):
        ann = make_user(environment=environment, user_id="ann")
        token = make_token(ann, now=NOON.replace(hour=11))
        make_connection(environment=environment, user_id="ann")

        change(environment)

        with pytest.raises(TokenRevoked):
            tokens.authenticate(environment=environment, token=token, now=NOON)
        assert Connection.objects.get().kicked_at == NOON

    def test_needs_a_registered_user(self, environment):
        with pytest.raises(UnknownUsers):
            change(environment, user_id="nobody")
