"""Laws 21, 23 and 26 under fire, on a real PostgreSQL."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from applications.models import AuditEvent
from moderation import ban_sweep, bans, lists
from moderation.lists import MAX_ENTRIES, ListFull, blocklist
from moderation.models import Ban, BlocklistEntry
from tests.factories import DAY, HOUR, NOON, api_actor, make_environment, staff_actor
from tests.races.racing import only, race

pytestmark = pytest.mark.django_db(transaction=True)

AT = {"by": staff_actor("grace"), "now": NOON}


def impose(environment, user_id, until=NOON + DAY):
    return bans.impose(
        environment=environment, user_ids=[user_id], expires_at=until, reason="spam", **AT
    )


def lift(environment, user_id):
    return bans.lift(environment=environment, user_ids=[user_id], **AT)


def one_story(environment, user_id):
    """Ledger and trail say the same, and at most one ban is open."""
    outcomes = Counter(
        Ban.objects.filter(environment=environment, user_id=user_id).values_list(
            "outcome", flat=True
        )
    )
    told = Counter(
        AuditEvent.objects.filter(
            environment=environment, subject=user_id, type__startswith="ban."
        ).values_list("type", flat=True)
    )
    assert outcomes[""] <= 1
    assert told["ban.imposed"] + told["ban.changed"] == outcomes.total()
    assert told["ban.changed"] == outcomes["replaced"]
    assert told["ban.lifted"] == outcomes["lifted"]
    assert told["ban.expired"] == outcomes["expired"]
    return outcomes


class TestSweeps:
    def test_side_by_side_close_each_ban_once(self):
        environment = make_environment()
        Ban.objects.bulk_create(
            Ban(
                environment=environment,
                user_id=f"user-{number}",
                imposed_at=NOON,
                imposed_by="grace",
                imposed_via="console",
                banned_since=NOON,
                expires_at=NOON + HOUR,
            )
            for number in range(2_000)
        )

        def sweep():
            closed = 0
            while batch := ban_sweep.expire_due(now=NOON + HOUR, limit=100):
                closed += batch
            return closed

        closed = only((), race(*[sweep] * 8))
        assert sum(closed) == 2_000
        assert not Ban.objects.open().exists()
        lines = AuditEvent.objects.filter(type="ban.expired").values_list("subject", flat=True)
        assert len(lines) == len(set(lines)) == 2_000

    def test_and_people_leave_one_story(self):
        for number in range(20):
            environment, user_id = make_environment(), f"user-{number}"
            impose(environment, user_id, until=NOON + HOUR)
            later = {"by": staff_actor("grace"), "now": NOON + HOUR}
            answers = race(
                partial(ban_sweep.expire_due, now=NOON + HOUR),
                partial(bans.lift, environment=environment, user_ids=[user_id], **later),
                partial(
                    bans.impose,
                    environment=environment,
                    user_ids=[user_id],
                    expires_at=NOON + DAY,
                    reason="again",
                    **later,
                ),
                partial(ban_sweep.expire_due, now=NOON + HOUR),
            )
            only((), answers)
            assert one_story(environment, user_id)["expired"] == 1


class TestBanAndLift:
    def test_at_once_leave_one_story(self):
        environment = make_environment()
        for number in range(50):
            user_id = f"user-{number}"
            if number % 2:
                impose(environment, user_id, until=NOON + HOUR)
            only(
                (),
                race(partial(impose, environment, user_id), partial(lift, environment, user_id)),
            )
            one_story(environment, user_id)

    def test_of_one_id_by_16_at_once_leaves_one_ban_in_force(self):
        environment = make_environment()
        only(
            (),
            race(
                *(
                    partial(impose, environment, "mallory", NOON + timedelta(hours=number))
                    for number in range(1, 17)
                )
            ),
        )
        assert one_story(environment, "mallory") == {"replaced": 15, "": 1}
        types = AuditEvent.objects.filter(subject="mallory").values_list("type", flat=True)
        assert Counter(types) == {"ban.imposed": 1, "ban.changed": 15}

    def test_of_several_in_any_order_never_wait_for_each_other_for_ever(self):
        environment = make_environment()
        ids = [f"user-{number}" for number in range(20)]
        at = {"environment": environment, "expires_at": None, "reason": "", **AT}
        only(
            (),
            race(
                *(
                    partial(bans.impose, user_ids=ids[::direction], **at)
                    for direction in (1, -1) * 4
                )
            ),
        )
        assert Ban.objects.open().count() == 20


class TestLists:
    def test_filled_at_once_end_at_3000(self):
        environment = make_environment()
        add = partial(blocklist.add, environment=environment, owner_id="ada", **AT)
        add(listed_ids=[f"user-{number}" for number in range(MAX_ENTRIES - 5)])
        answers = race(*(partial(add, listed_ids=[f"new-{number}"]) for number in range(16)))
        assert len(only(ListFull, answers)) == 5
        assert BlocklistEntry.objects.of(environment, "ada").count() == MAX_ENTRIES

    def test_given_the_same_id_at_once_hold_it_once(self):
        environment = make_environment()
        add = partial(
            blocklist.add,
            environment=environment,
            owner_id="ada",
            listed_ids=["bob", "carl"],
            **AT,
        )
        answers = only((), race(*[add] * 8))
        assert sorted(map(len, answers)) == [0] * 7 + [2]

    def test_switched_at_once_are_on_once(self):
        environment = make_environment()
        switch = partial(
            lists.switch_allowlist, environment=environment, owner_ids=["ada"], on=True, **AT
        )
        assert sorted(only((), race(*[switch] * 8))) == [[]] * 7 + [["ada"]]


def test_calls_at_once_keep_each_their_own_user_address_and_request():
    environment = make_environment()
    ids = [f"user-{number}" for number in range(12)]

    def ban(number):
        by = replace(api_actor(), address=f"192.0.2.{number + 1}", request_id=f"request-{number}")
        now, until = NOON + timedelta(seconds=number), NOON + (number + 1) * DAY
        of_user = {"environment": environment, "user_ids": [ids[number]]}
        [made] = bans.impose(**of_user, expires_at=until, reason=f"r{number}", by=by, now=now)
        lifted = bans.lift(**of_user, by=by, now=now + HOUR)
        return made.user_id, Ban.objects.get(pk=made.ban_id).expires_at, lifted

    found = race(*(partial(ban, number) for number in range(12)))

    assert found == [(user_id, NOON + (n + 1) * DAY, [user_id]) for n, user_id in enumerate(ids)]
    for number, user_id in enumerate(ids):
        now = NOON + timedelta(seconds=number)
        lines = AuditEvent.objects.filter(environment=environment, subject=user_id).order_by("at")
        assert list(lines.values_list("type", "at", "address", "request_id")) == [
            (word, at, f"192.0.2.{number + 1}", f"request-{number}")
            for word, at in (("ban.imposed", now), ("ban.lifted", now + HOUR))
        ]
        assert one_story(environment, user_id) == {"lifted": 1}
