"""Bans."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from applications.models import AuditEvent
from moderation import ban_sweep, bans, tasks
from moderation.bans import BanOver, InvalidEnd
from moderation.models import Ban, SweepRun
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    api_actor,
    make_ban,
    make_connection,
    make_environment,
    staff_actor,
)
from tests.generated import given, st
from users.identity import InvalidUserId

pytestmark = pytest.mark.django_db

GRACE = staff_actor("grace")
MICROSECOND = timedelta(microseconds=1)


def impose(environment, *user_ids, until=NOON + DAY, reason="spam", by=GRACE, now=NOON):
    made = bans.impose(
        environment=environment,
        user_ids=user_ids or ["mallory"],
        expires_at=until,
        reason=reason,
        by=by,
        now=now,
    )
    return made_bans(made)


def made_bans(made):
    """The bans of `Imposed`, in their order."""
    found = Ban.objects.in_bulk([each.ban_id for each in made])
    return [found[each.ban_id] for each in made]


def lift(environment, *user_ids, now=NOON):
    return bans.lift(environment=environment, user_ids=user_ids or ["mallory"], by=GRACE, now=now)


def change(environment, ban, until=NOON + 2 * DAY, now=NOON):
    made = bans.change(
        environment=environment, ban_id=ban.pk, expires_at=until, reason="more", by=GRACE, now=now
    )
    return Ban.objects.get(pk=made.ban_id)


def ledger(environment, user_id="mallory"):
    rows = Ban.objects.filter(environment=environment, user_id=user_id).order_by("pk")
    return list(rows.values_list("outcome", "imposed_at", "expires_at", "closed_at"))


def banned(environment, user_id="mallory", *, at=NOON):
    rows = Ban.objects.filter(environment=environment, user_id=user_id)
    in_sql = rows.in_force(at).exists()
    assert in_sql == any(ban.is_in_force(at) for ban in rows), "two forms of one rule"
    return in_sql


def told():
    """What the audit trail says of bans, oldest first."""
    return list(
        AuditEvent.objects.filter(type__startswith="ban.")
        .order_by("pk")
        .values_list("type", "subject")
    )


class TestImpose:
    """Laws 19, 24 and 25: until an end or for good; registered or not; by whom, why, which door."""

    @pytest.mark.parametrize("until", [NOON + MINUTE, NOON + 43_200 * MINUTE, None])
    def test_bans_until_the_end_or_for_good(self, until):
        environment = make_environment()
        impose(environment, until=until)
        assert banned(environment)
        if until is None:
            assert banned(environment, at=NOON + 36_500 * DAY)
        else:
            assert banned(environment, at=until - MICROSECOND)
            assert not banned(environment, at=until)

    @pytest.mark.parametrize("by", [GRACE, api_actor("rongcloud user/block")], ids=str)
    def test_records_who_why_when_until_when_and_by_which_door(self, by):
        [ban] = impose(make_environment(), reason="spam", by=by)
        ban.refresh_from_db()
        assert (ban.imposed_by, ban.imposed_via, ban.reason) == (by.name, by.via, "spam")
        assert (ban.imposed_at, ban.banned_since, ban.expires_at) == (NOON, NOON, NOON + DAY)
        line = AuditEvent.objects.get(type="ban.imposed")
        assert (line.subject, line.actor, line.via) == ("mallory", by.name, by.via)
        assert line.after == {"until": (NOON + DAY).isoformat(), "reason": "spam"}

    @pytest.mark.parametrize("until", [NOON, NOON - DAY])
    def test_into_the_past_is_refused(self, until):
        environment = make_environment()
        with pytest.raises(InvalidEnd):
            impose(environment, until=until)
        assert not Ban.objects.exists()

    def test_of_several_is_all_or_none(self):
        environment = make_environment()
        with pytest.raises(InvalidUserId):
            impose(environment, "ada", "not/an/id")
        assert not Ban.objects.exists()
        impose(environment, "ada", "bob", "ada")
        assert told() == [("ban.imposed", "ada"), ("ban.imposed", "bob")]

    def test_in_one_environment_bans_in_no_other(self):
        impose(make_environment())
        assert not banned(make_environment())

    def test_closes_the_connections_of_the_banned(self):
        """Law 22."""
        environment = make_environment()
        theirs = make_connection(environment=environment, user_id="mallory")
        other = make_connection(environment=environment, user_id="ada")
        impose(environment)
        theirs.refresh_from_db()
        other.refresh_from_db()
        assert (theirs.kicked_at, theirs.kick_reason) == (NOON, "banned")
        assert other.kicked_at is None

    def test_costs_the_same_for_one_and_for_fifty(self, django_assert_num_queries):
        environment = make_environment()
        counts = []
        for size in (1, 50):
            with django_assert_num_queries(12, exact=False) as queries:
                impose(environment, *(f"{size}-{number}" for number in range(size)))
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestBanningTheBanned:
    """Law 21: at most one open ban per user; the old end stays in the history."""

    def test_replaces_the_ban_and_keeps_the_old_end(self):
        environment = make_environment()
        impose(environment, until=NOON + DAY)
        [ban] = impose(environment, until=None, now=NOON + HOUR)
        assert ban.banned_since == NOON
        assert ledger(environment) == [
            ("replaced", NOON, NOON + DAY, NOON + HOUR),
            ("", NOON + HOUR, None, None),
        ]
        assert told() == [("ban.imposed", "mallory"), ("ban.changed", "mallory")]
        line = AuditEvent.objects.get(type="ban.changed")
        assert line.before == {"until": (NOON + DAY).isoformat(), "reason": "spam"}
        assert line.after == {"until": None, "reason": "spam"}

    def test_may_shorten(self):
        environment = make_environment()
        impose(environment, until=None)
        impose(environment, until=NOON + HOUR)
        assert not banned(environment, at=NOON + HOUR)

    def test_after_time_ended_it_is_a_new_ban(self):
        environment = make_environment()
        impose(environment, until=NOON + HOUR)
        [ban] = impose(environment, now=NOON + HOUR)
        assert ban.banned_since == NOON + HOUR
        assert ledger(environment)[0] == ("expired", NOON, NOON + HOUR, NOON + HOUR)
        assert told() == [
            ("ban.imposed", "mallory"),
            ("ban.expired", "mallory"),
            ("ban.imposed", "mallory"),
        ]

    def test_twice_open_is_refused_by_the_database(self):
        ban = make_ban(environment=make_environment())
        with pytest.raises(
            IntegrityError, match=r"moderation_ban_one_open_per_user|moderation_ban.user_id"
        ):
            make_ban(environment=ban.environment)

    @pytest.mark.parametrize(
        ("nonsense", "constraint"),
        [
            ({"expires_at": NOON - HOUR}, "moderation_ban_ends_after_it_starts"),
            ({"closed_at": NOON}, "moderation_ban_closed_has_outcome"),
            ({"outcome": "lifted", "closed_by": "x"}, "moderation_ban_closed_has_outcome"),
        ],
    )
    def test_rows_without_sense_are_refused_by_the_database(self, nonsense, constraint):
        with pytest.raises(IntegrityError, match=constraint):
            make_ban(environment=make_environment(), imposed_at=NOON, **nonsense)


class TestChange:
    def test_gives_the_ban_another_end_and_reason(self):
        environment = make_environment()
        [ban] = impose(environment)
        changed = change(environment, ban)
        assert (changed.expires_at, changed.reason) == (NOON + 2 * DAY, "more")

    def test_of_what_is_not_in_force_any_more_is_refused_and_changes_nothing(self):
        environment = make_environment()
        [lifted] = impose(environment, "lifted")
        lift(environment, "lifted")
        [over] = impose(environment, "over", until=NOON + HOUR)
        [replaced] = impose(environment, "replaced")
        impose(environment, "replaced", until=None)
        [elsewhere] = impose(make_environment())
        before = list(Ban.objects.order_by("pk").values())
        for ban in (lifted, over, replaced, elsewhere):
            with pytest.raises(BanOver):
                change(environment, ban, now=NOON + HOUR)
        assert list(Ban.objects.order_by("pk").values()) == before


def test_the_last_ends_are_those_of_the_bans_in_force():
    environment = make_environment()
    for number, ends in enumerate([DAY, HOUR, None, DAY, timedelta(0), -MINUTE]):
        expires_at = NOON + ends if ends is not None else None
        made = make_ban(environment=environment, user_id=f"user-{number}", expires_at=expires_at)
    make_ban(environment=environment, closed_at=NOON, closed_by="ada", outcome="lifted")
    make_ban(environment=make_environment())
    in_force = Ban.objects.in_environment(made.environment).in_force(NOON)
    plain = list(in_force.order_by("-ends_at", "-pk").values_list("user_id", "ends_at", "pk"))

    assert [user_id for user_id, _, _ in plain] == ["user-2", "user-3", "user-0", "user-1"]
    for offset in range(5):
        ask = {"environment": environment, "now": NOON, "offset": offset, "size": 2}
        assert bans.last_ends(**ask) == plain[offset : offset + 2]
        for place, after in enumerate(bans.last_ends(environment=environment, now=NOON, size=4)):
            beyond = plain[place + 1 + offset :][:2]
            assert bans.last_ends(**ask, after=after) == beyond


class TestLift:
    def test_ends_the_ban_and_answers_who_was_banned(self):
        environment = make_environment()
        impose(environment, "ada", "bob")
        assert lift(environment, "bob", "nobody", "ada", now=NOON + HOUR) == ["ada", "bob"]
        assert not banned(environment, "ada", at=NOON + HOUR)
        [ban] = Ban.objects.filter(user_id="ada")
        assert (ban.outcome, ban.closed_by, ban.closed_via) == ("lifted", "grace", "console")

    def test_twice_is_no_error_and_leaves_one_line(self):
        environment = make_environment()
        impose(environment)
        assert lift(environment) == ["mallory"]
        assert lift(environment) == []
        assert told() == [("ban.imposed", "mallory"), ("ban.lifted", "mallory")]

    def test_of_a_ban_that_time_has_ended_says_so_in_the_ledger(self):
        environment = make_environment()
        impose(environment, until=NOON + HOUR)
        assert lift(environment, now=NOON + HOUR) == []
        assert ledger(environment) == [("expired", NOON, NOON + HOUR, NOON + HOUR)]
        assert told() == [("ban.imposed", "mallory"), ("ban.expired", "mallory")]


class TestChangeSeveral:
    def test_gives_all_the_same_end_and_leaves_each_its_reason_unless_given_one(self):
        environment = make_environment()
        impose(environment, "ada", reason="spam")
        impose(environment, "bob", reason="insults", until=None)
        both = {"environment": environment, "user_ids": ["ada", "bob"], "by": GRACE, "now": NOON}
        changed = bans.change_several(**both, expires_at=NOON + HOUR)
        assert [(ban.expires_at, ban.reason) for ban in made_bans(changed)] == [
            (NOON + HOUR, "spam"),
            (NOON + HOUR, "insults"),
        ]
        changed = bans.change_several(**both, expires_at=None, reason="both")
        assert {(ban.expires_at, ban.reason) for ban in made_bans(changed)} == {(None, "both")}

    def test_bans_nobody_anew_and_then_changes_nothing(self):
        environment = make_environment()
        impose(environment, "ada", "bob")
        lift(environment, "bob")
        with pytest.raises(BanOver) as refused:
            bans.change_several(
                environment=environment,
                user_ids=["ada", "bob"],
                expires_at=None,
                by=GRACE,
                now=NOON,
            )
        assert refused.value.user_ids == ["bob"]
        assert not banned(environment, "bob")
        assert len(ledger(environment, "ada")) == 1


class TestUndoLift:
    def undo(self, environment, *user_ids, by=GRACE, now=NOON + 2 * HOUR):
        return bans.undo_lift(environment=environment, user_ids=user_ids, by=by, now=now)

    def test_lets_the_ban_go_on_to_its_old_end(self):
        environment = make_environment()
        impose(environment, "ada")
        impose(environment, "bob", until=None)
        lift(environment, "ada", "bob", now=NOON + HOUR)
        assert self.undo(environment, "bob", "ada") == ["bob", "ada"]
        [ban] = Ban.objects.open().filter(user_id="ada")
        assert (ban.expires_at, ban.reason) == (NOON + DAY, "spam")
        assert (ban.banned_since, ban.imposed_at) == (NOON, NOON + 2 * HOUR)
        assert self.undo(environment, "ada") == [], "once is enough"

    def test_closes_each_connection_until_the_end_of_its_own_users_ban(self):
        environment = make_environment()
        impose(environment, "ada")
        impose(environment, "bob", until=None)
        lift(environment, "ada", "bob")
        open_again = [make_connection(environment=environment, user_id=id) for id in ("ada", "bob")]
        self.undo(environment, "ada", "bob")
        for connection in open_again:
            connection.refresh_from_db()
        assert [each.kick_reason for each in open_again] == ["banned", "banned"]
        assert [each.kick_until for each in open_again] == [NOON + DAY, None]

    def test_leaves_alone_what_has_moved_on(self):
        environment = make_environment()
        impose(environment, "over", until=NOON + 2 * HOUR)
        impose(environment, "others", "again")
        lift(environment, "over", "again", now=NOON + HOUR)
        bans.lift(
            environment=environment, user_ids=["others"], by=staff_actor("ken"), now=NOON + HOUR
        )
        impose(environment, "again", now=NOON + HOUR, until=None)
        assert self.undo(environment, "over", "others", "again", "never") == []
        assert banned(environment, "again", at=NOON + 2 * HOUR)


class TestTime:
    """Law 20: the clock alone ends a ban, whatever any worker has or has not done."""

    def test_ends_a_ban_without_any_worker(self):
        environment = make_environment()
        impose(environment, until=NOON + HOUR)
        assert banned(environment, at=NOON + HOUR - MICROSECOND)
        assert not banned(environment, at=NOON + HOUR)
        assert ledger(environment)[0][0] == ""  # nobody has written it down

    def test_is_written_down_by_the_sweep_and_not_before(self):
        environment = make_environment()
        impose(environment, until=NOON + HOUR)
        assert ban_sweep.expire_due(now=NOON + HOUR - MICROSECOND) == 0
        assert ban_sweep.expire_due(now=NOON + 2 * HOUR) == 1
        assert ledger(environment) == [("expired", NOON, NOON + HOUR, NOON + 2 * HOUR)]

    def test_never_ends_a_permanent_ban(self):
        environment = make_environment()
        impose(environment, until=None)
        assert ban_sweep.expire_due(now=NOON + 36_500 * DAY) == 0
        assert banned(environment, at=NOON + 36_500 * DAY)


class TestSweep:
    """Law 23: every ban is closed exactly once, in batches."""

    def test_closes_each_ban_once_with_one_line_however_often_it_runs(self):
        for _ in range(2):
            impose(make_environment(), "a", "b", "c", until=NOON + HOUR)
        batches = [ban_sweep.expire_due(now=NOON + HOUR, limit=4) for _ in range(4)]
        assert batches == [4, 2, 0, 0]
        lines = [line for line in told() if line[0] == "ban.expired"]
        assert sorted(lines) == sorted([("ban.expired", each) for each in "abc"] * 2)
        swept = Ban.objects.values_list("outcome", "closed_by", "closed_via").distinct()
        assert list(swept) == [("expired", "system", "ban sweep")]

    def test_leaves_lifted_and_changed_bans_as_they_are(self):
        environment = make_environment()
        impose(environment, "lifted", "changed", until=NOON + HOUR)
        lift(environment, "lifted")
        impose(environment, "changed", until=NOON + DAY)
        assert ban_sweep.expire_due(now=NOON + HOUR) == 0
        assert banned(environment, "changed", at=NOON + HOUR)

    def test_costs_the_same_for_one_and_for_fifty(self, django_assert_num_queries):
        environment = make_environment()
        counts = []
        for size in (1, 50):
            ids = [f"{size}-{number}" for number in range(size)]
            impose(environment, *ids, until=NOON + HOUR)
            with django_assert_num_queries(6, exact=False) as queries:
                assert ban_sweep.expire_due(now=NOON + HOUR) == size
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_leaves_its_pulse(self):
        environment = make_environment()
        # A task reads the clock itself: this ban was over long before it could.
        impose(environment, now=NOON - 3_650 * DAY, until=NOON - 3_649 * DAY)
        tasks.expire_bans()
        run = SweepRun.objects.get()
        assert run.closed == 1
        tasks.expire_bans()
        assert SweepRun.objects.get().closed == 0

    def test_is_well_while_it_runs_and_nothing_is_overdue(self):
        assert not ban_sweep.sweep_health(now=NOON).is_well
        ban_sweep.note_sweep(closed=0, now=NOON)
        assert ban_sweep.sweep_health(now=NOON).is_well
        assert not ban_sweep.sweep_health(now=NOON + MINUTE).is_well
        impose(make_environment(), now=NOON - HOUR, until=NOON - 5 * MINUTE)
        health = ban_sweep.sweep_health(now=NOON)
        assert (health.is_well, health.most_overdue) == (False, 5 * MINUTE)


# What can happen to one user: a verb and the minutes that pass before it.
STEPS = st.tuples(
    st.sampled_from(["impose", "impose for good", "lift", "sweep", "wait"]), st.integers(0, 90)
)


@given(st.lists(STEPS, max_size=12))
def test_whatever_happens_the_ledger_is_one_story(steps):
    """Laws 20, 21 and 23, over any history: the ledger and a plain model of the rules agree."""
    environment, now, until = make_environment(), NOON, NOON  # in force while now < until
    lines = AuditEvent.objects.filter(environment=environment, type__startswith="ban.")
    for verb, minutes in steps:
        now += minutes * MINUTE
        if verb.startswith("impose"):
            end = now + HOUR if verb == "impose" else None
            impose(environment, until=end, now=now)
            until = end or NOON + 36_500 * DAY
        elif verb == "lift":
            assert lift(environment, now=now) == (["mallory"] if now < until else [])
            until = now
        elif verb == "sweep":
            ban_sweep.expire_due(now=now)
        assert banned(environment, at=now) == (now < until)
    rows = ledger(environment)
    assert [row[0] for row in rows].count("") <= 1
    closed = [(outcome, *times) for outcome, *times in rows if outcome]
    for outcome, _, expires_at, closed_at in closed:
        over = expires_at is not None and expires_at <= closed_at
        assert (outcome == "expired") == over
    # Each row is opened by one line and closed by one, and a change is both.
    counts = {
        kind: lines.filter(type=f"ban.{kind}").count()
        for kind in ("imposed", "changed", "lifted", "expired")
    }
    outcomes = [row[0] for row in rows]
    assert counts["imposed"] + counts["changed"] == len(rows)
    assert counts["changed"] == outcomes.count("replaced")
    assert counts["lifted"] == outcomes.count("lifted")
    assert counts["expired"] == outcomes.count("expired")
