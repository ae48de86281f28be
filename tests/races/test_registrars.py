"""Laws 5, 6 and 12 under fire."""

from functools import partial

import pytest

from applications.counting import Count
from applications.models import FREE_USER_LIMIT
from tests.factories import (
    NOON,
    api_actor,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from tests.races.racing import only, race
from users import deactivation, quota, registration, tokens
from users.models import AppUser, DeactivatedUser
from users.quota import QuotaExceeded
from users.registration import AlreadyRegistered, UserDeactivated

pytestmark = pytest.mark.django_db(transaction=True)


def held(environment):
    return AppUser.objects.filter(environment=environment).count()


def register(environment, user_id):
    return registration.register(environment=environment, user_id=user_id, now=NOON)


def register_each(environment, user_ids):
    answers = []
    for user_id in user_ids:
        try:
            answers.append(register(environment, user_id))
        except QuotaExceeded as refusal:
            answers.append(refusal)
    return answers


class TestPlaces:
    def test_64_registrars_at_100_places_fill_exactly_those(self):
        environment = make_environment()
        answers = race(
            *(
                partial(register_each, environment, [f"user-{each}-{n}" for n in range(3)])
                for each in range(64)
            )
        )
        each = [answer for several in only((), answers) for answer in several]
        registered = only(QuotaExceeded, each)
        assert len(registered) == held(environment) == FREE_USER_LIMIT
        refused = [answer for answer in each if isinstance(answer, QuotaExceeded)]
        assert len(refused) == 3 * 64 - FREE_USER_LIMIT
        assert {(refusal.limit, refusal.used) for refusal in refused} == {(100, Count(100))}
        assert {registration.user_id for registration in registered} == set(
            AppUser.objects.values_list("user_id", flat=True)
        )

    def test_the_last_place_goes_to_one_whichever_path_they_come_by(self):
        for _ in range(10):
            environment = make_environment()
            make_users(environment=environment, count=FREE_USER_LIMIT - 1)
            at = {"environment": environment, "now": NOON}
            answers = race(
                partial(register, environment, "by-api"),
                partial(registration.register_new, users=[AppUser(user_id="by-batch")], **at),
                partial(
                    registration.register_by_staff,
                    user_id="by-staff",
                    name="",
                    by=staff_actor(),
                    **at,
                ),
                partial(registration.load_samples, count=1, by=staff_actor(), **at),
            )
            admitted = only(QuotaExceeded, answers[:3]) + only((), [answers[3]])
            assert held(environment) == FREE_USER_LIMIT
            assert len([answer for answer in admitted if answer != 0]) == 1

    def test_batches_are_admitted_whole_or_not_at_all(self):
        environment = make_environment()

        def batch(number):
            users = [AppUser(user_id=f"batch-{number}-{n}") for n in range(7)]
            return registration.register_new(environment=environment, users=users, now=NOON)

        answers = race(*(partial(batch, number) for number in range(20)))
        assert len(only(QuotaExceeded, answers)) == 14
        assert held(environment) == 98

    def test_tallies_lose_nothing(self):
        environment = make_environment(kind="production", plan="pro")
        race(*(partial(register, environment, f"user-{number}") for number in range(40)))
        assert quota.registrations_per_day(environment=environment, now=NOON, days=1) == [
            (NOON.date(), 40)
        ]


class TestOneId:
    @pytest.mark.parametrize("plan", ["trial", "pro"])
    def test_registered_16_times_at_once_is_one_user_with_16_tokens(self, plan):
        environment = make_environment(kind="production", plan=plan)
        answers = only((), race(*(partial(register, environment, "ada") for _ in range(16))))
        assert held(environment) == 1
        assert sum(answer.created for answer in answers) == 1
        assert len({answer.token for answer in answers}) == 16
        for answer in answers:
            tokens.authenticate(environment=environment, token=answer.token, now=NOON)

    def test_made_by_staff_twice_at_once_is_made_once(self):
        environment = make_environment()
        make = partial(
            registration.register_by_staff,
            environment=environment,
            user_id="ada",
            name="",
            by=staff_actor(),
            now=NOON,
        )
        assert len(only(AlreadyRegistered, race(*[make] * 8))) == 1

    @pytest.mark.parametrize("plan", ["trial", "pro"])
    def test_registered_and_deactivated_at_once_is_never_both(self, plan):
        """Law 12; without a limit, the id's own lock is all that stands between the two."""
        environment = make_environment(kind="production", plan=plan)
        for number in range(40):
            user_id = f"user-{number}"
            if number % 2:
                make_user(environment=environment, user_id=user_id)
            answers = race(
                partial(register, environment, user_id),
                partial(
                    deactivation.deactivate,
                    environment=environment,
                    user_ids=[user_id],
                    by=api_actor(),
                    now=NOON,
                ),
            )
            only(UserDeactivated, answers)
            assert not AppUser.objects.filter(user_id=user_id).exists()
            assert DeactivatedUser.objects.filter(user_id=user_id).count() == 1
            if not isinstance(answers[0], Exception):  # it came first, and what it got is dead
                with pytest.raises(tokens.TokenRevoked):
                    tokens.authenticate(environment=environment, token=answers[0].token, now=NOON)

    def test_deactivated_twice_at_once_has_one_tombstone(self):
        environment = make_environment()
        deactivate = partial(
            deactivation.deactivate,
            environment=environment,
            user_ids=["ada", "bob"],
            by=api_actor(),
            now=NOON,
        )
        only((), race(*[deactivate] * 8))
        assert DeactivatedUser.objects.count() == 2


def test_registrars_at_once_each_get_their_own_answer():
    environment = make_environment(kind="production", plan="pro")
    make_user(environment=environment, user_id="known")
    deactivation.deactivate(environment=environment, user_ids=["gone"], by=api_actor(), now=NOON)
    ids = ["known", "gone", "twice", "twice", *(f"new-{number}" for number in range(12))]
    answers = race(*(partial(register, environment, user_id) for user_id in ids))

    registered = dict.fromkeys(ids)
    for user_id, answer in zip(ids, answers, strict=True):
        if user_id == "gone":
            assert isinstance(answer, UserDeactivated)
            assert answer.user_ids == ["gone"]
            continue
        token = tokens.authenticate(environment=environment, token=answer.token, now=NOON)
        assert token.user_id == user_id
        registered[user_id] = (registered[user_id] or 0) + answer.created
    assert registered == {"known": 0, "gone": None, "twice": 1, **dict.fromkeys(ids[4:], 1)}
