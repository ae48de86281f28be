"""Leases and pins of test users, rules that give leases, and the sweep."""

from datetime import timedelta

import pytest

from applications.models import AuditEvent
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    api_actor,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
    staff_actor,
)
from users import deletion, lease_rules, lease_sweep, leases, pins, registration
from users.deletion import NobodyToDelete
from users.leases import BeingDeleted, InvalidLease, LeasesInProduction
from users.models import AppUser, Connection, DeletionItem, DeletionJob, Place
from users.tokens import UnknownUsers

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}
Result = DeletionItem.Result


def register(environment, user_id, *, now=NOON, **options):
    made = registration.register(
        environment=environment, user_id=user_id, by=api_actor(), now=now, **options
    )
    return AppUser.objects.get(pk=made.life)


def lease_of(user):
    return Place.objects.get(user=user).lease_until


def lease(user, until=NOON + HOUR, **at):
    leases.change(environment=user.environment, user_id=user.user_id, until=until, **AT | at)


def pin(user):
    pins.pin(environment=user.environment, user_id=user.user_id, **AT)


def sweep(now):
    """What the task does, and then the workers."""
    ended = lease_sweep.end_due(now=now)
    for job in DeletionJob.objects.running():
        while deletion.run_batch(job_id=job.pk, now=now):
            pass
    return ended


def rule(environment, prefix="ci-", lasts=2 * HOUR):
    return lease_rules.add(environment=environment, prefix=prefix, lasts=lasts, **AT)


class TestRegistration:
    def test_remembers_who_took_the_place_and_by_which_call(self, environment):
        place = Place.objects.get(user=register(environment, "mia"))
        assert (place.taken_by, place.taken_via) == ("app key 5ca1ab1e", "nexconn user/call")
        assert place.lease_until is None

    def test_remembers_nothing_where_there_is_no_limit(self):
        production = make_environment(kind="production", plan="pro")
        register(production, "mia")
        assert not Place.objects.exists()

    def test_again_with_a_lease_moves_its_end_and_without_one_keeps_it(self, environment):
        user = register(environment, "mia", lease=HOUR)
        register(environment, "mia", now=NOON + MINUTE)
        assert lease_of(user) == NOON + HOUR
        register(environment, "mia", lease=2 * HOUR, now=NOON + MINUTE)
        assert lease_of(user) == NOON + MINUTE + 2 * HOUR

    @pytest.mark.parametrize("span", [MINUTE - SECOND, leases.LONGEST + SECOND, -HOUR])
    def test_with_an_impossible_lease_is_refused_and_changes_nothing(self, environment, span):
        with pytest.raises(InvalidLease):
            register(environment, "mia", lease=span)
        assert not AppUser.objects.exists()

    def test_law_32_with_a_lease_is_refused_in_production(self):
        with pytest.raises(LeasesInProduction):
            register(make_environment(kind="production"), "mia", lease=HOUR)
        assert not AppUser.objects.exists()


class TestRule:
    def test_gives_a_lease_to_the_ids_that_begin_so_and_to_nobody_else(self, environment):
        before = register(environment, "ci-0")
        rule(environment)
        rule(environment, "ci-long-", DAY)
        ids = ("ci-1", "ci-long-1", "ci", "CI-1", "mia")
        ends = {user_id: lease_of(register(environment, user_id)) for user_id in ids}
        assert ends == {
            "ci-1": NOON + 2 * HOUR,
            "ci-long-1": NOON + DAY,
            "ci": None,
            "CI-1": None,
            "mia": None,
        }
        assert lease_of(before) is None

    def test_gives_way_to_the_lease_that_was_asked_for(self, environment):
        rule(environment)
        assert lease_of(register(environment, "ci-1", lease=HOUR)) == NOON + HOUR

    def test_costs_a_known_user_no_query(self, environment, django_assert_num_queries):
        rule(environment)
        register(environment, "ci-1")
        register(environment, "mia")
        with django_assert_num_queries(1):
            registration.register(environment=environment, user_id="ci-1", by=api_actor(), now=NOON)

    def test_exists_once_for_a_prefix_is_removed_and_leaves_lines(self, environment):
        added = rule(environment)
        with pytest.raises(lease_rules.InvalidRule):
            rule(environment, lasts=DAY)
        with pytest.raises(lease_rules.InvalidRule):
            rule(environment, "a b")
        lease_rules.remove(environment=environment, rule_id=added.pk, **AT)
        with pytest.raises(lease_rules.NoSuchRule):
            lease_rules.remove(environment=environment, rule_id=added.pk, **AT)
        types = AuditEvent.objects.order_by("pk").values_list("type", flat=True)
        assert list(types)[-2:] == ["lease.rule_added", "lease.rule_removed"]

    def test_is_one_of_a_few_and_in_development(self, environment):
        with pytest.raises(LeasesInProduction):
            rule(make_environment(kind="production"))
        for number in range(lease_rules.MAX_RULES):
            rule(environment, f"p{number}-")
        with pytest.raises(lease_rules.TooManyRules):
            rule(environment)


class TestChange:
    def test_gives_moves_and_takes_a_lease_with_a_line_each(self, environment):
        user = make_user(environment=environment)
        for until in (NOON + HOUR, NOON + DAY, None):
            lease(user, until)
            assert lease_of(user) == until
        lease(user, None)
        assert AuditEvent.objects.filter(type="lease.changed").count() == 3

    def test_is_refused_for_the_past_for_strangers_and_in_production(self, environment):
        user = make_user(environment=environment)
        with pytest.raises(InvalidLease):
            lease(user, NOON)
        with pytest.raises(UnknownUsers):
            leases.change(environment=environment, user_id="nobody", until=NOON + HOUR, **AT)
        with pytest.raises(LeasesInProduction):
            lease(make_user(environment=make_environment(kind="production")))

    def test_comes_too_late_once_a_job_has_the_user(self, environment):
        user = make_user(environment=environment)
        lease(user)
        lease_sweep.end_due(now=NOON + HOUR)
        with pytest.raises(BeingDeleted):
            lease(user, NOON + DAY, now=NOON + HOUR)


class TestSweep:
    """Law 32: an ended lease is a deletion by job, with a list of exactly whom and why."""

    def test_deletes_at_the_end_and_not_before(self, environment):
        user = make_user(environment=environment, user_id="ci-1")
        lease(user)
        assert sweep(NOON + HOUR - SECOND) == 0
        assert sweep(NOON + HOUR) == 1
        assert not AppUser.objects.exists()
        item = DeletionItem.objects.get()
        assert (item.user_id, item.result) == ("ci-1", Result.DELETED)
        assert item.reason == "Lease ended 2026-03-02 13:00 UTC"
        assert item.job.state == DeletionJob.State.DONE
        assert item.job.confirmed_by == "system"

    def test_deletes_who_is_online_says_so_and_closes_the_connection(self, environment):
        user = make_user(environment=environment)
        lease(user)
        gateway = make_gateway(lease_until=NOON + DAY)
        make_connection(environment=environment, user_id=user.user_id, gateway=gateway)
        sweep(NOON + HOUR)
        assert DeletionItem.objects.get().reason.endswith("was online")
        assert Connection.objects.get().kick_reason == "deleted"

    def test_makes_one_job_for_each_environment_and_one_in_all_however_often_it_runs(self):
        environments = [make_environment(), make_environment()]
        for environment in environments:
            for _ in range(2):
                lease(make_user(environment=environment))
        assert lease_sweep.end_due(now=NOON + HOUR) == 4
        assert lease_sweep.end_due(now=NOON + HOUR) == 0
        assert sorted(job.items.count() for job in DeletionJob.objects.all()) == [2, 2]

    def test_leaves_who_is_left_of_a_stopped_job_alone(self, environment):
        user = make_user(environment=environment)
        lease(user)
        lease_sweep.end_due(now=NOON + HOUR)
        deletion.cancel(job=DeletionJob.objects.get(), **AT)
        assert sweep(NOON + DAY) == 0
        assert lease_of(user) is None

    def test_says_how_late_it_is(self, environment):
        assert lease_sweep.health(now=NOON).is_well
        lease(make_user(environment=environment))
        late = lease_sweep.health(now=NOON + HOUR + timedelta(minutes=2))
        assert late.most_overdue == timedelta(minutes=2)
        assert not late.is_well

    def test_costs_the_same_for_many_as_for_few(self, environment, django_assert_num_queries):
        counts = []
        for number in (1, 12):
            for _ in range(number):
                lease(make_user(environment=environment))
            with django_assert_num_queries(30, exact=False) as queries:
                lease_sweep.end_due(now=NOON + HOUR)
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestPin:
    """Law 32: a pin keeps a user out of every plan and every lease."""

    def test_suspends_the_lease_until_it_is_removed(self, environment):
        user = make_user(environment=environment)
        lease(user)
        pin(user)
        assert sweep(NOON + DAY) == 0
        assert lease_sweep.health(now=NOON + DAY).is_well
        pins.unpin(environment=environment, user_id=user.user_id, **AT)
        assert sweep(NOON + DAY) == 1

    def test_keeps_the_user_in_a_job_pinned_before_or_after_its_preview(self, environment):
        first, second, third = (make_user(environment=environment) for _ in range(3))
        pin(first)
        job = deletion.preview(
            environment=environment, candidates=[(u, "") for u in (first, second, third)], **AT
        )
        pin(second)
        deletion.confirm(job=job, **AT)
        sweep(NOON)
        results = dict(job.items.values_list("user_id", "result"))
        assert results == {
            first.user_id: Result.PINNED,
            second.user_id: Result.PINNED,
            third.user_id: Result.DELETED,
        }

    def test_leaves_nobody_to_preview_if_all_are_pinned(self, environment):
        user = make_user(environment=environment)
        pin(user)
        with pytest.raises(NobodyToDelete):
            deletion.preview(environment=environment, candidates=[(user, "")], **AT)

    def test_passes_over_who_is_pinned_where_nobody_is_named(self, environment):
        pinned, other = make_user(environment=environment), make_user(environment=environment)
        pin(pinned)
        page = deletion.delete_oldest(environment=environment, size=10, by=api_actor(), now=NOON)
        assert page.rows == [other]
        deletion.delete(environment=environment, user_ids=[pinned.user_id], **AT)
        assert not AppUser.objects.exists()

    def test_twice_is_no_error_and_one_line(self, environment):
        user = make_user(environment=environment)
        for _ in range(2):
            pin(user)
        for _ in range(2):
            pins.unpin(environment=environment, user_id=user.user_id, **AT)
        lines = AuditEvent.objects.about(user.user_id).order_by("pk")
        assert [line.type for line in lines] == ["user.pinned", "user.unpinned"]

    def test_is_refused_in_production(self):
        with pytest.raises(LeasesInProduction):
            pin(make_user(environment=make_environment(kind="production")))
