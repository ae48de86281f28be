"""Access tokens."""

import re
from datetime import timedelta

import pytest

from applications import app_secrets
from applications.models import AuditEvent
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    api_actor,
    make_connection,
    make_environment,
    make_token,
    make_user,
    staff_actor,
)
from tests.generated import given, st
from users import deactivation, deletion, registration, tokens
from users.models import AppUser, Connection
from users.tokens import TokenExpired, TokenRefused, TokenRevoked, TokenUnknown

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)


REFUSALS: dict[type[TokenRefused], str] = {
    TokenExpired: "expired",
    TokenRevoked: "revoked",
    TokenUnknown: "unknown",
}


def opens(token, environment, *, at=NOON):
    """The user it opens for, or the reason why not."""
    try:
        return tokens.authenticate(environment=environment, token=token, now=at)
    except TokenRefused as refusal:
        return next(word for kind, word in REFUSALS.items() if isinstance(refusal, kind))


class TestIssue:
    """Law 15: opaque, at most 256 bytes, safe in URLs; several at once; signed, not stored."""

    def test_gives_text_that_fits_into_urls(self):
        token = make_token(make_user(environment=make_environment()))
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", token)

    def test_gives_different_tokens_at_the_same_moment_and_all_open(self):
        user = make_user(environment=make_environment())
        several = {make_token(user) for _ in range(20)}
        assert len(several) == 20
        assert all(opens(token, user.environment) == user for token in several)

    def test_asks_and_writes_nothing(self, django_assert_num_queries):
        user = make_user(environment=make_environment())
        with django_assert_num_queries(0):
            tokens.issue(user, now=NOON)

    def test_does_not_end_by_itself(self):
        user = make_user(environment=make_environment())
        assert opens(make_token(user), user.environment, at=NOON + 10_000 * DAY) == user

    def test_ends_where_the_environment_sets_a_lifetime(self):
        user = make_user(environment=make_environment(token_lifetime=HOUR))
        token = make_token(user)
        assert opens(token, user.environment, at=NOON + HOUR - MICROSECOND) == user
        assert opens(token, user.environment, at=NOON + HOUR) == "expired"


class TestAuthenticate:
    """Laws 15 and 18: only text that was issued here opens."""

    def test_is_one_query(self, django_assert_num_queries):
        user = make_user(environment=make_environment())
        token = make_token(user)
        with django_assert_num_queries(1):
            tokens.authenticate(environment=user.environment, token=token, now=NOON)

    @given(data=st.data())
    def test_refuses_a_token_with_any_character_changed_added_or_cut(self, data):
        user = make_user(environment=make_environment(), user_id="ada")
        token = make_token(user)
        place = data.draw(st.integers(0, len(token)))
        other = data.draw(st.characters() | st.sampled_from("+/-_=AQgw"))
        changed = {
            token[:place] + other + token[place + 1 :],
            token[:place] + other + token[place:],
            token[:place],
            token + "=",
        } - {token}
        assert {opens(text, user.environment) for text in changed} == {"unknown"}

    def test_refuses_every_other_last_character(self):
        # The last of them carries only a few bits: decoders ignore the rest.
        user = make_user(environment=make_environment())
        token = make_token(user)
        spellings = {token[:-1] + chr(code) for code in range(33, 127)} - {token}
        assert {opens(text, user.environment) for text in spellings} == {"unknown"}

    @given(st.text() | st.binary(max_size=80).map(lambda raw: tokens._text(raw)))
    def test_refuses_what_somebody_made_up(self, text):
        with pytest.raises(TokenUnknown):
            tokens.authenticate(environment=make_environment(), token=text, now=NOON)

    def test_refuses_a_token_signed_with_another_key(self, settings):
        user = make_user(environment=make_environment())
        settings.ENCRYPTION_KEYS = ["somebody else's"]
        token = make_token(user)
        settings.ENCRYPTION_KEYS = ["ours"]
        assert opens(token, user.environment) == "unknown"

    def test_takes_a_token_of_the_key_before(self, settings):
        user = make_user(environment=make_environment())
        settings.ENCRYPTION_KEYS = ["old"]
        token = make_token(user)
        settings.ENCRYPTION_KEYS = ["new", "old"]
        assert opens(token, user.environment) == user
        settings.ENCRYPTION_KEYS = ["new"]
        assert opens(token, user.environment) == "unknown"


class TestAnEarlierLife:
    """Law 9: a token from an earlier life of the id stays dead."""

    def test_ended_by_deletion_stays_dead(self):
        environment = make_environment()
        old = registration.register(environment=environment, user_id="ada", now=NOON).token
        deletion.delete(environment=environment, user_ids=["ada"], by=staff_actor(), now=NOON)
        assert opens(old, environment) == "revoked"
        new = registration.register(environment=environment, user_id="ada", now=NOON)
        assert opens(old, environment) == "revoked"
        assert opens(new.token, environment).pk == new.life

    def test_ended_by_deactivation_stays_dead(self):
        environment = make_environment()
        old = registration.register(environment=environment, user_id="ada", now=NOON).token
        at = {"environment": environment, "user_ids": ["ada"], "by": api_actor(), "now": NOON}
        deactivation.deactivate(**at)
        assert opens(old, environment) == "revoked"
        deactivation.reactivate(**at)
        registration.register(environment=environment, user_id="ada", now=NOON)
        assert opens(old, environment) == "revoked"

    def test_leaves_no_number_to_the_next_one(self):
        """The database gives no primary key twice, even after the last row is deleted."""
        environment = make_environment()
        lives = set()
        for _ in range(3):
            user = make_user(environment=environment, user_id="ada")
            lives.add(user.pk)
            AppUser.objects.filter(pk=user.pk).delete()
        assert len(lives) == 3


class TestExpire:
    """Law 16: issued before `t` is dead from then on; issued at or after `t` lives."""

    def expire(self, user, before):
        tokens.expire(
            environment=user.environment,
            user_ids=[user.user_id],
            before=before,
            by=staff_actor(),
            now=NOON + DAY,
        )

    def test_cuts_exactly_at_the_moment(self):
        user = make_user(environment=make_environment())
        before, at = make_token(user, now=NOON - MICROSECOND), make_token(user, now=NOON)
        self.expire(user, NOON)
        assert opens(before, user.environment) == "revoked"
        assert opens(at, user.environment) == user

    def test_again_with_an_earlier_moment_revives_nothing(self):
        user = make_user(environment=make_environment())
        token = make_token(user, now=NOON)
        self.expire(user, NOON + HOUR)
        self.expire(user, NOON - HOUR)
        assert opens(token, user.environment) == "revoked"

    def test_leaves_connections_open_and_others_alone(self):
        user = make_user(environment=make_environment())
        other = make_user(environment=user.environment)
        twin = make_user(environment=make_environment(), user_id=user.user_id)
        make_connection(environment=user.environment, user_id=user.user_id)
        self.expire(user, NOON + HOUR)
        assert not Connection.objects.exclude(kicked_at=None).exists()
        assert opens(make_token(other), user.environment) == other
        assert opens(make_token(twin), twin.environment) == twin

    def test_of_somebody_unknown_keeps_no_other_token_alive(self):
        user = make_user(environment=make_environment())
        token = make_token(user, now=NOON - HOUR)
        unknown = tokens.expire(
            environment=user.environment,
            user_ids=["nobody", user.user_id, "nothing"],
            before=NOON,
            by=staff_actor(),
            now=NOON,
        )
        assert unknown == ["nobody", "nothing"]
        assert opens(token, user.environment) == "revoked"
        assert AuditEvent.objects.get(type="user.tokens_expired").subject == user.user_id

    def test_of_what_is_not_issued_yet_is_refused(self):
        user = make_user(environment=make_environment())
        with pytest.raises(tokens.TimeInFuture):
            self.expire(user, NOON + DAY + MICROSECOND)
        self.expire(user, NOON + DAY)
        user.refresh_from_db()
        assert user.tokens_valid_from == NOON + DAY

    def test_signing_out_everywhere_also_closes_connections(self):
        user = make_user(environment=make_environment())
        token = make_token(user, now=NOON - MINUTE)
        connection = make_connection(environment=user.environment, user_id=user.user_id)
        stranger = make_connection(environment=make_environment(), user_id=user.user_id)
        tokens.sign_out_everywhere(
            environment=user.environment, user_id=user.user_id, by=staff_actor(), now=NOON
        )
        connection.refresh_from_db()
        stranger.refresh_from_db()
        assert opens(token, user.environment) == "revoked"
        assert (connection.kicked_at, connection.kick_reason) == (NOON, "signed out")
        assert stranger.kicked_at is None


class TestRevokeAll:
    """Law 17: tokens survive a change of secret; revoking all of an environment is its own act."""

    def test_secrets_may_change_and_tokens_live(self):
        user = make_user(environment=make_environment())
        token = make_token(user)
        at = {"environment": user.environment, "by": staff_actor(), "now": NOON}
        old = user.environment.secrets.get()
        app_secrets.add(**at)
        app_secrets.revoke(secret_id=old.pk, **at)
        assert opens(token, user.environment) == user

    def test_kills_every_token_so_far_of_this_environment_alone(self):
        user = make_user(environment=make_environment())
        stranger = make_user(environment=make_environment())
        connection = make_connection(environment=user.environment, user_id=user.user_id)
        before, theirs = make_token(user), make_token(stranger)
        tokens.revoke_all(environment=user.environment, by=staff_actor(), now=NOON + MINUTE)
        after = make_token(user, now=NOON + MINUTE)
        user.environment.refresh_from_db()
        assert opens(before, user.environment) == "revoked"
        assert opens(after, user.environment) == user
        assert opens(theirs, stranger.environment) == stranger
        connection.refresh_from_db()
        assert connection.kicked_at == NOON + MINUTE
        assert AuditEvent.objects.filter(type="tokens.revoked").count() == 1
