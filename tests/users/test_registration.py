"""Registration, within the quota."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from applications.counting import Count
from applications.models import FREE_USER_LIMIT, AuditEvent, Environment, Plan
from tests.factories import (
    DAY,
    NOON,
    api_actor,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from users import deactivation, deletion, quota, registration, tokens
from users.identity import InvalidProfile, InvalidUserId
from users.models import AppUser
from users.quota import QuotaExceeded
from users.registration import AlreadyRegistered, UserDeactivated

pytestmark = pytest.mark.django_db


def register(environment, user_id="ada", **given):
    return registration.register(environment=environment, user_id=user_id, now=NOON, **given)


def held(environment):
    return set(
        AppUser.objects.filter(environment=environment).values_list(
            "user_id", "name", "avatar_url", "registered_at"
        )
    )


class TestRegister:
    """Law 4: registering a known id gives a further token, and takes no new place."""

    def test_an_unknown_id_gives_a_user_and_a_token_that_opens(self):
        environment = make_environment()
        new = register(environment, name="Ada", avatar_url="https://example.com/a.png")
        assert new.created
        assert held(environment) == {("ada", "Ada", "https://example.com/a.png", NOON)}
        user = tokens.authenticate(environment=environment, token=new.token, now=NOON)
        assert user == AppUser.objects.get(pk=new.life)

    def test_a_known_id_gives_a_further_token_and_both_open(self):
        environment = make_environment()
        first, second = register(environment), register(environment)
        assert (first.created, second.created) == (True, False)
        assert first.token != second.token
        for token in (first.token, second.token):
            tokens.authenticate(environment=environment, token=token, now=NOON)
        assert AppUser.objects.count() == 1

    def test_a_known_id_takes_no_place_even_in_a_full_environment(self):
        environment = make_environment()
        users = make_users(environment=environment, count=FREE_USER_LIMIT)
        assert not register(environment, users[0].user_id, name="New name").created

    def test_updates_a_known_user_in_what_is_given_and_in_nothing_else(self):
        environment = make_environment()
        register(environment, name="Ada", avatar_url="a.png")
        register(environment, name="Ada L.")
        register(environment)
        assert held(environment) == {("ada", "Ada L.", "a.png", NOON)}
        register(environment, avatar_url="")
        assert held(environment) == {("ada", "Ada L.", "", NOON)}

    def test_of_a_known_id_costs_one_query_and_writes_nothing(self, django_assert_num_queries):
        environment = make_environment()
        register(environment, name="Ada")
        with django_assert_num_queries(1) as queries:
            register(environment, name="Ada")
        assert queries.captured_queries[0]["sql"].startswith("SELECT")

    @pytest.mark.parametrize("plan", [Plan.TRIAL, Plan.PRO])
    def test_of_an_unknown_id_costs_the_same_however_many_there_are(
        self, plan, django_assert_num_queries
    ):
        environment = make_environment(kind="production", plan=plan)
        counts = []
        for number, others in ((1, 3), (2, 60)):
            make_users(environment=environment, count=others, prefix=f"other-{number}-")
            with django_assert_num_queries(12, exact=False) as queries:
                register(environment, f"new-{number}")
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_a_lifetime_of_its_own_may_be_asked_for_the_token(self):
        environment = make_environment(token_lifetime=DAY)
        token = register(environment, token_lifetime=timedelta(minutes=1)).token
        with pytest.raises(tokens.TokenExpired):
            tokens.authenticate(
                environment=environment, token=token, now=NOON + timedelta(minutes=1)
            )

    def test_of_what_cannot_be_an_id_or_a_profile_changes_nothing(self):
        environment = make_environment()
        with pytest.raises(InvalidUserId):
            register(environment, "a/b")
        with pytest.raises(InvalidProfile):
            register(environment, name="\x00")
        assert held(environment) == set()

    def test_twice_is_refused_by_the_database(self):
        environment = make_environment()
        make_user(environment=environment, user_id="ada")
        with pytest.raises(IntegrityError, match=r"users_appuser_unique_id|users_appuser.user_id"):
            make_user(environment=environment, user_id="ada")


class TestQuota:
    """Laws 2, 3, 5 and 6: at most 100 registered users on every path; a refusal changes nothing and
    says limit, used, and how to free places.
    """

    @pytest.mark.parametrize("kind", Environment.Kind)
    def test_admits_the_hundredth_and_refuses_the_next_and_says_why(self, kind):
        environment = make_environment(kind=kind)
        make_users(environment=environment, count=FREE_USER_LIMIT - 1)
        assert register(environment, "the-hundredth").created
        before = held(environment)
        with pytest.raises(QuotaExceeded) as refusal:
            register(environment, "one-too-many")
        assert (refusal.value.limit, refusal.value.used) == (100, Count(100))
        assert "100 of 100 users are registered" in str(refusal.value)
        remedy = "Quota page" if kind == "development" else "Upgrade the plan"
        assert remedy in str(refusal.value)
        assert held(environment) == before

    @pytest.mark.parametrize("plan", [Plan.STARTER, Plan.PRO])
    def test_is_without_limit_on_starter_and_pro_and_takes_no_lock(
        self, plan, django_assert_num_queries
    ):
        environment = make_environment(kind="production", plan=plan)
        make_users(environment=environment, count=FREE_USER_LIMIT)
        with django_assert_num_queries(12, exact=False) as queries:
            assert register(environment, "one-more").created
        assert not any("applications_environment" in query["sql"] for query in queries)

    def test_where_there_is_none_one_round_trip_does(self, django_assert_num_queries):
        environment = make_environment(kind="production", plan=Plan.PRO)
        with django_assert_num_queries(1):
            new = register(environment, name="Ada")
        assert held(environment) == {("ada", "Ada", "", NOON)}
        assert AppUser.objects.get().pk == new.life
        assert quota.registrations_per_day(environment=environment, now=NOON, days=1) == [
            (NOON.date(), 1)
        ]

    @pytest.mark.parametrize(
        "path",
        [
            lambda environment: register(environment, "new"),
            lambda environment: registration.register_new(
                environment=environment, users=[AppUser(user_id="new")], now=NOON
            ),
            lambda environment: registration.register_by_staff(
                environment=environment, user_id="new", name="", by=staff_actor(), now=NOON
            ),
        ],
        ids=["register", "register_new", "register_by_staff"],
    )
    def test_holds_on_every_path(self, path):
        environment = make_environment()
        make_users(environment=environment, count=FREE_USER_LIMIT)
        before = held(environment), AuditEvent.objects.count()
        with pytest.raises(QuotaExceeded):
            path(environment)
        assert (held(environment), AuditEvent.objects.count()) == before

    def test_counts_neither_the_deleted_nor_the_deactivated(self):
        environment = make_environment()
        users = make_users(environment=environment, count=FREE_USER_LIMIT)
        at = {"environment": environment, "now": NOON}
        deletion.delete(user_ids=[users[0].user_id], by=staff_actor(), **at)
        deactivation.deactivate(user_ids=[users[1].user_id], by=api_actor(), **at)
        assert register(environment, "first").created
        assert register(environment, "second").created
        with pytest.raises(QuotaExceeded):
            register(environment, "third")

    def test_of_one_environment_says_nothing_of_another(self):
        make_users(environment=make_environment(), count=FREE_USER_LIMIT)
        assert register(make_environment()).created

    def test_is_lifted_by_an_upgrade_even_for_who_read_the_plan_before(self):
        environment = make_environment(kind="production")
        make_users(environment=environment, count=FREE_USER_LIMIT)
        Environment.objects.filter(pk=environment.pk).update(plan=Plan.PRO)
        assert environment.plan == Plan.TRIAL
        assert register(environment).created

    @pytest.mark.django_db(transaction=True)
    def test_holds_for_who_read_the_plan_before_a_downgrade(self):
        environment = make_environment(kind="production", plan=Plan.PRO)
        make_users(environment=environment, count=FREE_USER_LIMIT - 1)
        Environment.objects.filter(pk=environment.pk).update(plan=Plan.TRIAL)
        assert environment.user_limit is None
        assert register(environment, "the-hundredth").created
        assert AuditEvent.objects.get(type="quota.reached").after["percent"] == 100
        with pytest.raises(QuotaExceeded):
            register(environment, "one-too-many")

    def test_after_a_downgrade_deletes_nobody_and_admits_nobody(self):
        environment = make_environment(kind="production", plan=Plan.PRO)
        users = make_users(environment=environment, count=FREE_USER_LIMIT + 20)
        environment.plan = Plan.TRIAL
        environment.save()
        with pytest.raises(QuotaExceeded):
            register(environment, "new")
        assert not register(environment, users[0].user_id).created
        assert quota.usage(environment=environment, now=NOON).free == 0


class TestRegisterNew:
    def test_registers_all_or_none(self):
        environment = make_environment()
        make_users(environment=environment, count=FREE_USER_LIMIT - 2)
        three = [AppUser(user_id=f"new-{number}") for number in range(3)]
        with pytest.raises(QuotaExceeded):
            registration.register_new(environment=environment, users=three, now=NOON)
        assert not AppUser.objects.with_prefix("new-").exists()
        registration.register_new(environment=environment, users=three[:2], now=NOON)
        assert AppUser.objects.with_prefix("new-").count() == 2

    def test_leaves_who_is_known_alone_and_counts_only_the_new(self):
        environment = make_environment()
        make_users(environment=environment, count=FREE_USER_LIMIT - 2)
        make_user(environment=environment, user_id="ada", name="Ada")
        created = registration.register_new(
            environment=environment,
            users=[
                AppUser(user_id="ada", name="Other"),
                AppUser(user_id="bob", name="Bob"),
                AppUser(user_id="bob", name="Bob again"),
            ],
            now=NOON,
        )
        assert [(user.user_id, user.name) for user in created] == [("bob", "Bob")]
        assert AppUser.objects.get(user_id="ada").name == "Ada"

    def test_does_not_grow_in_queries_with_the_batch(self, django_assert_num_queries):
        environment = make_environment()
        for size in (2, 50):
            batch = [AppUser(user_id=f"{size}-{number}") for number in range(size)]
            with django_assert_num_queries(10, exact=False):
                registration.register_new(environment=environment, users=batch, now=NOON)


class TestDeactivated:
    """Law 12: a deactivated id cannot register until it is reactivated."""

    @pytest.mark.parametrize(
        "path",
        [
            lambda environment: register(environment, "gone"),
            lambda environment: registration.register_new(
                environment=environment,
                users=[AppUser(user_id="new"), AppUser(user_id="gone")],
                now=NOON,
            ),
            lambda environment: registration.register_by_staff(
                environment=environment, user_id="gone", name="", by=staff_actor(), now=NOON
            ),
        ],
        ids=["register", "register_new", "register_by_staff"],
    )
    def test_is_refused_on_every_path_and_named(self, path):
        environment = make_environment()
        make_deactivated(environment=environment, user_id="gone")
        with pytest.raises(UserDeactivated) as refusal:
            path(environment)
        assert refusal.value.user_ids == ["gone"]
        assert held(environment) == set()

    def test_is_refused_where_there_is_no_limit_and_tallies_nothing(self):
        environment = make_environment(kind="production", plan=Plan.PRO)
        make_deactivated(environment=environment, user_id="gone")
        with pytest.raises(UserDeactivated):
            register(environment, "gone")
        assert held(environment) == set()
        assert quota.registrations_per_day(environment=environment, now=NOON, days=1) == [
            (NOON.date(), 0)
        ]

    def test_in_one_environment_registers_in_another(self):
        make_deactivated(environment=make_environment(), user_id="gone")
        assert register(make_environment(), "gone").created


class TestByStaff:
    """Law 31: what staff register leaves a line."""

    def test_leaves_a_line(self):
        registration.register_by_staff(
            environment=make_environment(), user_id="ada", name="Ada", by=staff_actor(), now=NOON
        )
        line = AuditEvent.objects.get(type="user.registered")
        assert (line.subject, line.actor, line.after) == ("ada", "grace", {"name": "Ada"})

    def test_of_a_known_id_is_refused(self):
        user = make_user(environment=make_environment())
        with pytest.raises(AlreadyRegistered):
            registration.register_by_staff(
                environment=user.environment,
                user_id=user.user_id,
                name="Other",
                by=staff_actor(),
                now=NOON,
            )
        user.refresh_from_db()
        assert user.name == ""


class TestSamples:
    def load(self, environment, count):
        return registration.load_samples(
            environment=environment, count=count, by=staff_actor(), now=NOON
        )

    def test_fill_the_places_there_are_and_no_more(self):
        environment = make_environment()
        make_users(environment=environment, count=FREE_USER_LIMIT - 5)
        assert self.load(environment, 20) == 5
        assert self.load(environment, 20) == 0

    def test_are_completed_where_some_are_there_already(self):
        environment = make_environment()
        assert self.load(environment, 20) == 20
        AppUser.objects.filter(user_id="sample-03").delete()
        assert self.load(environment, 20) == 1
        assert self.load(environment, FREE_USER_LIMIT) == 80
