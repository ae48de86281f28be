"""Acme Chat's development environment: 87 test users in every state, with a quota of 100."""

from datetime import datetime, timedelta
from random import Random

from applications.environments import NewApplication
from applications.models import Environment
from moderation import ban_sweep, bans, lists
from rollcall.demo.names import unique_names
from rollcall.demo.office import ADMIN, MODERATOR, TESTER
from rollcall.demo.timeline import Timeline, app_server, staff
from users import (
    deactivation,
    deletion,
    lease_rules,
    leases,
    pins,
    profiles,
    reclaim,
    registration,
    tokens,
)
from users.models import AppUser, DeletionJob


def fill(timeline: Timeline, acme: NewApplication, random: Random) -> None:
    development = acme.environments["development"]
    team = _register(timeline, development, random)
    _free_places(timeline, development)
    _deactivate(timeline, development)
    _ban(timeline, development)
    _moderate(timeline, development, team)
    _lease(timeline, development)


def _register(timeline: Timeline, development: Environment, random: Random) -> list[str]:
    """86 users who stay, 30 of them from the last 14 days, so that the quota is full in about 6."""
    names = unique_names(random)
    team = [next(names) for _ in range(18)]
    # (ids and names, range of days since registration, range of days since last seen)
    cohorts: list[tuple[list[tuple[str, str]], tuple[float, float], tuple[float, float] | None]] = [
        (team, (62, 35), (0.02, 3)),
        ([(f"pilot-hanoi-{n:02}", f"Pilot {n}") for n in range(1, 10)], (60, 55), (31, 48)),
        ([(f"qa-ios-{n:02}", f"iOS {n}") for n in range(1, 11)], (50, 30), (0.1, 9)),
        ([(f"qa-android-{n:02}", f"Android {n}") for n in range(1, 11)], (48, 17), (0.1, 16)),
        ([(f"qa-web-{n:02}", f"Web {n}") for n in range(1, 10)], (30, 17), (0.3, 15)),
        ([(f"e2e-checkout-{n}", "") for n in range(101, 110)], (12, 0.2), None),
        ([(f"tmp_{random.getrandbits(32):08x}", "") for _ in range(6)], (13, 1), None),
        ([(f"tmp_{random.getrandbits(32):08x}", "") for _ in range(6)], (13, 2), (0.2, 1)),
    ]
    timeline.register(
        development,
        (
            AppUser(
                user_id=user_id,
                name=name,
                registered_at=timeline.ago(days=random.uniform(*registered)),
                last_seen_at=timeline.ago(days=random.uniform(*seen)) if seen else None,
            )
            for cohort, registered, seen in cohorts
            for user_id, name in cohort
        ),
    )
    timeline.add(
        timeline.ago(days=9.2),
        registration.load_samples,
        environment=development,
        count=8,
        by=staff(TESTER),
    )
    timeline.add(
        timeline.ago(days=3.4),
        registration.register_by_staff,
        environment=development,
        user_id="push-check",
        name="Push check",
        by=staff(TESTER),
    )
    return [user_id for user_id, _ in team]


def _free_places(timeline: Timeline, development: Environment) -> None:
    """A load test filled the quota, and its users were deleted, except one that was registered
    again.
    """
    loaded = timeline.ago(days=26.4)
    timeline.register(
        development,
        [
            AppUser(user_id=f"load-{n:04}", registered_at=loaded + timedelta(milliseconds=40 * n))
            for n in range(1, 25)
        ],
    )

    def preview(now: datetime) -> None:
        deletion.preview(
            environment=development,
            candidates=[
                (candidate.user, candidate.reason)
                for candidate in reclaim.plan(
                    environment=development, wanted=24, prefix="load-", now=now
                ).candidates
            ],
            by=staff(TESTER),
            now=now,
        )

    def run(now: datetime) -> None:
        job = DeletionJob.objects.select_related("environment").get(environment=development)
        deletion.confirm(job=job, by=staff(ADMIN), now=now)
        while deletion.run_batch(job_id=job.pk, now=now + timedelta(seconds=2)):
            pass

    previewed = timeline.ago(days=21.1)
    timeline.add(previewed, preview)
    timeline.add(
        previewed + timedelta(minutes=4),
        deletion.delete,
        environment=development,
        user_ids=["load-0007", "load-0011"],
        by=staff(TESTER),
    )
    timeline.add(
        previewed + timedelta(minutes=6),
        registration.register,
        environment=development,
        user_id="load-0007",
    )
    timeline.add(previewed + timedelta(minutes=25), run)


def _deactivate(timeline: Timeline, development: Environment) -> None:
    """Testers tried the app's "delete my account" with four users; one was reactivated."""
    calls = ["nexconn user/deactivate", "rongcloud user/deactivate"]
    for place, user_id in enumerate(("gdpr-anna", "gdpr-ben", "gdpr-carla", "gdpr-dmitri")):
        when = timeline.ago(days=16 - 4.6 * place)
        timeline.register(
            development,
            [AppUser(user_id=user_id, name="Erase me", registered_at=when - timedelta(hours=2))],
        )
        timeline.add(
            when,
            deactivation.deactivate,
            environment=development,
            user_ids=[user_id],
            by=app_server(development, calls[place % 2]),
        )
        timeline.add(when + timedelta(seconds=4), deactivation.erase_pending)
    timeline.add(
        timeline.ago(days=10),
        deactivation.reactivate,
        environment=development,
        user_ids=["gdpr-ben"],
        by=app_server(development, "nexconn user/reactivate"),
    )


def _ban(timeline: Timeline, development: Environment) -> None:
    """Bans in force with and without an end, lifted, expired; one expires soon after the start."""
    api = app_server(development, "rongcloud user/block")
    tried = "Trying the ban screen on iOS"
    hours, days = timedelta(hours=1), timedelta(days=1)
    for user_id, began, lasts, reason, by in (
        ("qa-android-07", timeline.ago(minutes=58.4), 1 * hours, "Does the app reconnect?", TESTER),
        ("qa-ios-03", timeline.ago(hours=5), 1 * days, tried, TESTER),
        ("qa-ios-04", timeline.ago(days=6.1), 1 * hours, tried, TESTER),
        ("qa-web-02", timeline.ago(days=4.4), 7 * days, "Wrong user, meant qa-web-03", MODERATOR),
        ("qa-web-03", timeline.ago(days=4.39), 30 * days, "Floods the lobby in a test", MODERATOR),
        ("e2e-checkout-104", timeline.ago(days=2.3), None, "", api),
        ("e2e-checkout-105", timeline.ago(days=2.3), timedelta(minutes=30), "", api),
    ):
        ends = began + lasts if lasts else None
        timeline.add(
            began,
            bans.impose,
            environment=development,
            user_ids=[user_id],
            expires_at=ends,
            reason=reason,
            by=staff(by) if isinstance(by, str) else by,
        )
        if ends:
            timeline.add(ends + timedelta(seconds=3), ban_sweep.expire_due)
    timeline.add(
        timeline.ago(days=4.395),
        bans.lift,
        environment=development,
        user_ids=["qa-web-02"],
        by=staff(MODERATOR),
    )


def _moderate(timeline: Timeline, development: Environment, team: list[str]) -> None:
    timeline.add(
        timeline.ago(days=4.2),
        lists.blocklist.add,
        environment=development,
        owner_id="qa-android-02",
        listed_ids=["qa-ios-01", "qa-web-04"],
        by=staff(TESTER),
    )
    timeline.add(
        timeline.ago(days=4.1),
        lists.allowlist.add,
        environment=development,
        owner_id="qa-web-01",
        listed_ids=["qa-web-02", "qa-web-03", team[0]],
        by=staff(TESTER),
    )
    timeline.add(
        timeline.ago(days=4.05),
        lists.switch_allowlist,
        environment=development,
        owner_ids=["qa-web-01"],
        on=True,
        by=staff(TESTER),
    )
    timeline.add(
        timeline.ago(days=8.3),
        profiles.update,
        environment=development,
        user_id="qa-web-05",
        name="Web 5 (Firefox)",
        by=app_server(development, "nexconn user/update"),
    )
    timeline.add(
        timeline.ago(days=1.6),
        tokens.sign_out_everywhere,
        environment=development,
        user_id=team[3],
        by=staff(MODERATOR),
    )


def _lease(timeline: Timeline, development: Environment) -> None:
    """A rule for builds, users whose lease ends soon after the start, and one that a pin keeps."""
    timeline.add(
        timeline.ago(days=12.5),
        lease_rules.add,
        environment=development,
        prefix="ci-",
        lasts=timedelta(hours=2),
        by=staff(TESTER),
    )
    for number, minutes in ((101, 4), (102, 11), (103, 35), (106, 170)):
        timeline.add(
            timeline.ago(hours=1.1),
            leases.change,
            environment=development,
            user_id=f"e2e-checkout-{number}",
            until=timeline.now + timedelta(minutes=minutes),
            by=staff(TESTER),
        )
    timeline.add(
        timeline.ago(days=4),
        pins.pin,
        environment=development,
        user_id="qa-web-01",
        by=staff(TESTER),
    )
