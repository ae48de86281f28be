"""Applications, their two environments, and the secrets of each."""

from datetime import timedelta

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, transaction

from applications import app_secrets, environments, vault
from applications.app_secrets import LastSecret, SecretGone, TooManySecrets
from applications.environments import InvalidSetting, PlanNotAllowed
from applications.models import (
    FREE_USER_LIMIT,
    AppSecret,
    AuditEvent,
    Environment,
    Member,
    Plan,
    Role,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_application,
    make_environment,
    make_new_application,
    secret_of,
    staff_actor,
)
from users import registration, tokens
from users.models import AppUser

pytestmark = pytest.mark.django_db

GRACE = staff_actor("grace")


def violates(constraint):
    """The database itself refuses, and names the constraint."""
    return pytest.raises(IntegrityError, match=constraint)


class TestCreate:
    """Law 1: an application has a development and a production environment, each with its own app
    key and secret; nothing crosses from one to the other.
    """

    def test_makes_both_environments_each_with_its_own_key_and_secret(self):
        new = make_new_application(plan=Plan.PRO)
        assert list(new.environments) == ["development", "production"]
        development, production = new.environments.values()
        assert (development.plan, production.plan) == (Plan.TRIAL, Plan.PRO)
        assert development.app_key != production.app_key
        assert {secret_of(each) for each in (development, production)} == set(
            new.secret_texts.values()
        )
        assert len(set(new.secret_texts.values())) == 2

    def test_the_same_user_id_is_two_users_and_a_token_opens_one_environment(self):
        new = make_new_application()
        development, production = new.environments.values()
        here = registration.register(environment=development, user_id="ada", now=NOON)
        assert AppUser.objects.in_environment(production).count() == 0
        there = registration.register(environment=production, user_id="ada", now=NOON)
        assert there.created
        assert here.life != there.life
        with pytest.raises(tokens.TokenUnknown):
            tokens.authenticate(environment=production, token=here.token, now=NOON)

    def test_a_third_environment_is_refused_by_the_database(self):
        application = make_application()
        for kind in Environment.Kind:
            with pytest.raises(IntegrityError), transaction.atomic():
                Environment.objects.create(
                    application=application, kind=kind, app_key="00", created_at=NOON
                )
        with violates("applications_environment_known_kind"):
            Environment.objects.create(
                application=application, kind="staging", app_key="00", created_at=NOON
            )

    def test_makes_its_creator_the_owner(self):
        account = make_account()
        application = make_application(owner=account)
        assert Member.objects.get(application=application).role == Role.OWNER

    @pytest.mark.parametrize("name", ["Chirp", "Admin", "v4", "日本", "--"])
    def test_finds_an_address_of_its_own_for_any_name(self, name):
        first, second = make_application(name=name), make_application(name=name)
        assert first.org_name != second.org_name
        assert not {first.org_name, second.org_name} & environments.reserved_org_names()
        assert first.name == second.name == name


class TestLimit:
    """Laws 2 and 3: development, and production on trial, hold 100 users; starter and pro any."""

    @pytest.mark.parametrize(
        ("kind", "plan", "limit"),
        [
            ("development", Plan.TRIAL, 100),
            ("production", Plan.TRIAL, 100),
            ("production", Plan.STARTER, None),
            ("production", Plan.PRO, None),
        ],
    )
    def test_follows_kind_and_plan(self, kind, plan, limit):
        assert FREE_USER_LIMIT == 100
        assert make_environment(kind=kind, plan=plan).user_limit == limit

    def test_development_cannot_be_given_a_plan(self):
        environment = make_environment()
        with pytest.raises(PlanNotAllowed):
            change(environment, plan=Plan.PRO)
        with violates("applications_environment_development_has_no_plan"):
            Environment.objects.filter(pk=environment.pk).update(plan=Plan.PRO)


def change(environment, **wanted):
    settings = {
        "plan": environment.plan,
        "token_lifetime": environment.token_lifetime,
        "reactivation_cooling_off": environment.reactivation_cooling_off,
    }
    return environments.change(environment=environment, by=GRACE, now=NOON, **settings | wanted)


class TestChange:
    def test_sets_what_is_wanted_and_records_what_changed(self):
        environment = make_environment(kind="production")
        change(environment, plan=Plan.PRO, token_lifetime=timedelta(days=7))
        environment.refresh_from_db()
        assert (environment.plan, environment.token_lifetime) == (Plan.PRO, timedelta(days=7))
        line = AuditEvent.objects.get(type="environment.changed")
        assert line.before == {"plan": "trial", "token_lifetime": None}
        assert line.after == {"plan": "pro", "token_lifetime": "7 days, 0:00:00"}

    def test_of_nothing_leaves_no_line(self):
        change(make_environment())
        assert not AuditEvent.objects.filter(type="environment.changed").exists()

    @pytest.mark.parametrize(
        "bad", [{"token_lifetime": timedelta(0)}, {"reactivation_cooling_off": -HOUR}]
    )
    def test_out_of_bounds_is_refused(self, bad):
        with pytest.raises(InvalidSetting):
            change(make_environment(), **bad)

    def test_a_negative_cooling_off_is_refused_by_the_database(self):
        environment = make_environment()
        with violates("applications_environment_cooling_off_not_negative"):
            Environment.objects.filter(pk=environment.pk).update(reactivation_cooling_off=-HOUR)


def everything_stored():
    """The whole database, as text."""
    return "\n".join(
        serializers.serialize("json", model._base_manager.all()) for model in apps.get_models()
    )


class TestSecrets:
    """Law 18: app secrets are stored encrypted with a key outside the database, and shown once."""

    def test_the_database_holds_no_text_of_a_secret_and_no_token(self):
        new = make_new_application()
        environment = new.environments["development"]
        added = app_secrets.add(environment=environment, by=GRACE, now=NOON)
        token = registration.register(environment=environment, user_id="ada", now=NOON).token
        stored = everything_stored()
        assert environment.app_key in stored
        for text in [*new.secret_texts.values(), added.text, token]:
            assert text not in stored
        assert app_secrets.text(added.secret) == added.text

    def test_two_are_live_while_callers_move_and_never_three_or_none(self):
        environment = make_environment()
        first = environment.secrets.get()
        second = app_secrets.add(environment=environment, by=GRACE, now=NOON).secret
        with pytest.raises(TooManySecrets):
            app_secrets.add(environment=environment, by=GRACE, now=NOON)
        assert list(AppSecret.objects.for_app_key(environment.app_key)) == [first, second]
        revoke = {"environment": environment, "by": GRACE, "now": NOON}
        app_secrets.revoke(secret_id=first.pk, **revoke)
        assert list(AppSecret.objects.for_app_key(environment.app_key)) == [second]
        with pytest.raises(SecretGone):
            app_secrets.revoke(secret_id=first.pk, **revoke)
        with pytest.raises(LastSecret):
            app_secrets.revoke(secret_id=second.pk, **revoke)

    def test_of_another_environment_cannot_be_revoked(self):
        mine, other = make_environment(), make_environment()
        with pytest.raises(SecretGone):
            app_secrets.revoke(
                environment=mine, secret_id=other.secrets.get().pk, by=GRACE, now=NOON
            )

    def test_what_is_recorded_of_them_is_a_hint(self):
        environment = make_environment()
        new = app_secrets.add(environment=environment, by=GRACE, now=NOON)
        assert AuditEvent.objects.get(type="secret.added").after == {"hint": new.text[-4:]}

    def test_cannot_end_before_it_was_chosen(self):
        with pytest.raises(app_secrets.InvalidEnd):
            app_secrets.add(environment=make_environment(), others_end_at=NOON, by=GRACE, now=NOON)

    def test_that_has_ended_makes_room_for_another(self):
        environment = make_environment()
        app_secrets.add(environment=environment, others_end_at=NOON + MINUTE, by=GRACE, now=NOON)
        app_secrets.add(environment=environment, by=GRACE, now=NOON + MINUTE)
        assert environment.secrets.accepted(NOON + MINUTE).count() == 2

    def test_use_is_noted_once_a_minute(self, django_assert_num_queries):
        secret = make_environment().secrets.get()
        app_secrets.note_use(secret, via="a call", address=None, now=NOON)
        secret.refresh_from_db()
        assert secret.last_used_at == NOON
        with django_assert_num_queries(0):
            app_secrets.note_use(secret, via="a call", address=None, now=NOON + MINUTE / 2)
        app_secrets.note_use(secret, via="a call", address=None, now=NOON + MINUTE)
        secret.refresh_from_db()
        assert secret.last_used_at == NOON + MINUTE

    def test_checking_a_signature_costs_one_query(self, django_assert_num_queries):
        app_key = make_environment().app_key
        with django_assert_num_queries(1):
            [secret] = AppSecret.objects.for_app_key(app_key)
            assert len(app_secrets.text(secret)) == 32
            assert secret.environment.application.name


class TestVault:
    """Law 18, and the rotation of its keys."""

    def test_a_new_key_in_front_reads_what_the_old_one_wrote(self, settings):
        settings.ENCRYPTION_KEYS = ["old"]
        secret, signature = vault.encrypt("s3cret"), vault.sign(b"message")
        settings.ENCRYPTION_KEYS = ["new", "old"]
        assert vault.decrypt(secret) == "s3cret"
        assert vault.is_signed(b"message", signature)
        again, signature_again = vault.encrypt("s3cret"), vault.sign(b"message")
        settings.ENCRYPTION_KEYS = ["new"]
        assert vault.decrypt(again) == "s3cret"
        assert vault.is_signed(b"message", signature_again)
        assert not vault.is_signed(b"message", signature)
        with pytest.raises(InvalidToken):
            vault.decrypt(secret)

    def test_neither_key_is_the_setting_itself_nor_the_other(self):
        assert (
            len({vault._derived("k", "secrets"), vault._derived("k", "access tokens"), b"k"}) == 3
        )
