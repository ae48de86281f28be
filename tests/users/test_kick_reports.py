"""What gateways report of kicks: for receipts, in few statements, and not for ever."""

from datetime import timedelta

import pytest

from tests.factories import (
    DAY,
    MINUTE,
    NOON,
    SECOND,
    make_connection,
    make_gateway,
    staff_actor,
)
from users import gateway_processes, kick_reports, presence
from users.models import Connection, KickReport

pytestmark = pytest.mark.django_db


@pytest.fixture
def kicked(environment):
    """Kick a user who has this many connections; the outcome of that act."""

    def kicked(count, *, gateway=None):
        gateway = gateway or make_gateway()
        for _ in range(count):
            make_connection(environment=environment, user_id="mia", gateway=gateway)
        presence.kick(environment=environment, user_id="mia", by=staff_actor(), now=NOON)
        return gateway

    return kicked


def outcome(environment, user_id="mia"):
    return kick_reports.outcome(environment=environment, user_id=user_id, kicked_at=NOON)


def close_all(at):
    ids = list(Connection.objects.values_list("pk", flat=True))
    presence.disconnect(connection_ids=ids, now=at)


def test_connections_wait_until_their_gateway_has_closed_them(environment, kicked):
    kicked(3)
    assert (outcome(environment).waiting, outcome(environment).carried) == (3, [])
    close_all(NOON + SECOND)
    [carried] = outcome(environment).carried
    assert (carried.connections, carried.within) == (3, SECOND)
    assert outcome(environment).waiting == 0


def test_a_gateway_that_died_counts_as_closed_at_the_end_of_its_lease(environment, kicked):
    kicked(1, gateway=make_gateway(lease_until=NOON + 10 * SECOND))
    gateway_processes.remove_dead(now=NOON + MINUTE)
    assert outcome(environment).carried[0].within == 10 * SECOND


def test_a_clock_that_is_behind_shows_no_negative_time(environment, kicked):
    kicked(1)
    close_all(NOON - SECOND)
    assert outcome(environment).carried[0].within == timedelta(0)


def test_whoever_leaves_by_themselves_is_not_reported(environment):
    make_connection(environment=environment, user_id="mia")
    close_all(NOON)
    assert not KickReport.objects.exists()


def test_a_thousand_kicks_are_reported_in_three_statements(environment, django_assert_num_queries):
    gateway = make_gateway()
    closed = [
        Connection(
            environment=environment, gateway=gateway, user_id=f"user-{number}", kicked_at=NOON
        )
        for number in range(1000)
    ]
    with django_assert_num_queries(3):  # the gateways' names, two batches
        kick_reports.report(closed, at=NOON)


def test_reports_of_everybody_are_added_up(environment, kicked):
    kicked(2)
    make_connection(environment=environment, user_id="ben")
    presence.kick(environment=environment, user_id="ben", by=staff_actor(), now=NOON)
    close_all(NOON)
    assert outcome(environment, user_id="").connections == 3


def test_are_forgotten_when_they_are_old(environment, kicked):
    kicked(1)
    close_all(NOON)
    assert kick_reports.forget_old(now=NOON + kick_reports.KEPT) == 0
    assert kick_reports.forget_old(now=NOON + kick_reports.KEPT + DAY) == 1
