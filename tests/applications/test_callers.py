"""Law 34: what says who calls may be remembered for one second at most."""

from datetime import timedelta

import pytest
from django.db import transaction

from applications import app_secrets, callers, environments
from applications.models import AppSecret, Environment
from tests.factories import NOON, make_environment, staff_actor
from users import tokens

SECOND = timedelta(seconds=1)
BY = {"by": staff_actor(), "now": NOON}


@pytest.fixture
def environment(db):
    callers.clear()
    environment = make_environment(kind="production")
    app_secrets.add(environment=environment, **BY)
    return environment


def secrets(environment, after=timedelta(0)):
    """Their keys, by both ways of asking."""
    application, now = environment.application, NOON + after
    by_key = callers.secrets_of_key(environment.app_key, now=now)
    by_name = callers.secrets_of_name(application.org_name, environment.kind, now=now)
    assert [secret.pk for secret in by_key] == [secret.pk for secret in by_name]
    return [secret.pk for secret in by_key]


class TestMemory:
    def test_holds_for_less_than_a_second(self, environment, django_assert_num_queries):
        both = secrets(environment)
        with django_assert_num_queries(0):
            assert secrets(environment, SECOND - timedelta(microseconds=1)) == both
        with django_assert_num_queries(2):
            assert secrets(environment, SECOND) == both

    def test_gives_environment_and_application_without_asking(
        self, environment, django_assert_num_queries
    ):
        with django_assert_num_queries(1):
            first, _ = callers.secrets_of_key(environment.app_key, now=NOON)
            assert first.environment.application.org_name == environment.application.org_name

    def test_of_a_secret_that_another_process_revoked_ends_after_a_second(self, environment):
        kept, revoked = secrets(environment)
        AppSecret.objects.filter(pk=revoked).update(revoked_at=NOON)
        assert secrets(environment, SECOND) == [kept]

    def test_of_a_clock_that_was_set_back_is_no_longer(
        self, environment, django_assert_num_queries
    ):
        secrets(environment)
        with django_assert_num_queries(2):
            secrets(environment, -timedelta(microseconds=1))

    def test_has_no_place_for_what_is_unknown(self, environment, django_assert_num_queries):
        for _ in range(2):
            with django_assert_num_queries(1):
                assert not callers.secrets_of_key("nobody", now=NOON)

    def test_of_very_many_applications_ends_early(self, environment, monkeypatch):
        monkeypatch.setattr(callers, "_MAX_ENTRIES", 2)
        for _ in range(5):
            secrets(make_environment())
            assert len(callers._cache) <= 2


class TestOwnChanges:
    """Whoever changes what is remembered sees the change at once, and so does its whole process."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda e: app_secrets.revoke(environment=e, secret_id=e.secrets.latest("pk").pk, **BY),
            lambda e: environments.change(environment=e, plan="pro", **BY),
            lambda e: environments.unlock_deletion(environment=e, lasting=timedelta(hours=1), **BY),
            lambda e: environments.enable_vendors(application=e.application, names=[], **BY),
            lambda e: environments.rename(application=e.application, name="New", **BY),
            lambda e: tokens.revoke_all(environment=e, **BY),
        ],
        ids=[
            "revoke_secret",
            "change",
            "unlock_deletion",
            "enable_vendors",
            "rename",
            "revoke_all",
        ],
    )
    def test_are_seen_at_once(self, environment, change):
        def told():
            return [
                (secret.pk, row(secret.environment), row(secret.environment.application))
                for secret in callers.secrets_of_key(environment.app_key, now=NOON)
            ]

        before = told()
        change(environment)
        assert told() != before

    @pytest.mark.django_db(transaction=True)
    def test_are_not_hidden_by_who_reads_before_the_commit(self, environment):
        with transaction.atomic():
            Environment.objects.filter(pk=environment.pk).update(plan="pro")
            callers.clear_on_commit()
            stale = secrets_as_before(environment)
        assert stale == "trial"
        [first, _] = callers.secrets_of_key(environment.app_key, now=NOON)
        assert first.environment.plan == "pro"


def test_a_secret_that_ends_is_left_out_from_that_moment_on(environment):
    """Whatever is cached: the clock ends a secret."""
    old = AppSecret.objects.filter(environment=environment).earliest("pk")
    AppSecret.objects.filter(pk=old.pk).update(ends_at=NOON + SECOND / 2)
    callers.clear()
    before = callers.secrets_of_key(environment.app_key, now=NOON)
    after = callers.secrets_of_key(environment.app_key, now=NOON + SECOND / 2)
    assert (len(before), len(after)) == (2, 1)
    assert old not in after


def secrets_as_before(environment):
    """What somebody else remembers, who reads while the change is not committed."""
    environment = Environment.objects.select_related("application").get(pk=environment.pk)
    environment.plan = "trial"
    secret = AppSecret(environment=environment)
    callers._cache[(environment.app_key,)] = NOON, (secret, secret)
    [first, _] = callers.secrets_of_key(environment.app_key, now=NOON)
    return first.environment.plan


def row(model):
    return {field.attname: getattr(model, field.attname) for field in model._meta.concrete_fields}


def test_a_use_is_noted_once_by_all_who_share_the_memory(environment, django_assert_num_queries):
    [first, _] = callers.secrets_of_key(environment.app_key, now=NOON)
    with django_assert_num_queries(1):
        app_secrets.note_use(first, via="a call", address=None, now=NOON)
        app_secrets.note_use(first, via="a call", address=None, now=NOON + SECOND / 2)
    assert AppSecret.objects.get(pk=first.pk).last_used_at == NOON
