"""Members of Acme Chat: they are added and removed, rotate a secret, change settings."""

from datetime import datetime, timedelta
from typing import Any

from applications import app_secrets, environments, members
from applications.environments import NewApplication
from applications.models import Plan, Role
from rollcall.demo.timeline import Timeline, staff

ADMIN, MODERATOR, TESTER, VIEWER = "amara.okafor", "mei.tanaka", "lukas.weber", "isha.nair"
FORMER, INVITED = "joao.araujo", "ngozi.eze"


def create_acme(timeline: Timeline, owner: Any) -> NewApplication:
    return environments.create_application(
        name="Acme Chat",
        owner=owner,
        plan=Plan.STARTER,
        by=staff(owner.get_username()),
        now=timeline.ago(days=70),
    )


def add_members(timeline: Timeline, acme: NewApplication, owner: str) -> None:
    for days, username, role in (
        (69.9, ADMIN, Role.ADMIN),
        (69.8, TESTER, Role.TESTER),
        (66.2, MODERATOR, Role.VIEWER),
        (61.4, FORMER, Role.MODERATOR),
        (20.3, VIEWER, Role.VIEWER),
        (0.3, INVITED, Role.TESTER),
    ):
        timeline.add(
            timeline.ago(days=days),
            members.add,
            application=acme.application,
            username=username,
            role=role,
            by=staff(owner),
        )

    def promote(now: datetime) -> None:
        member = acme.application.members.get(account__username=MODERATOR)
        members.change_role(
            application=acme.application,
            member_id=member.pk,
            role=Role.MODERATOR,
            by=staff(owner),
            now=now,
        )

    def remove(now: datetime) -> None:
        member = acme.application.members.get(account__username=FORMER)
        members.remove(application=acme.application, member_id=member.pk, by=staff(owner), now=now)

    timeline.add(timeline.ago(days=52.2), promote)
    timeline.add(timeline.ago(days=24.6), remove)


def change_settings(timeline: Timeline, acme: NewApplication, owner: str) -> None:
    production, development = acme.environments["production"], acme.environments["development"]
    timeline.add(
        timeline.ago(days=45.5),
        environments.change,
        environment=production,
        plan=Plan.PRO,
        token_lifetime=None,
        reactivation_cooling_off=timedelta(hours=1),
        by=staff(owner),
    )
    timeline.add(
        timeline.ago(days=44.1),
        environments.change,
        environment=development,
        plan=Plan.TRIAL,
        token_lifetime=timedelta(days=30),
        reactivation_cooling_off=timedelta(0),
        by=staff(ADMIN),
    )
    [old_secret] = production.secrets.live()
    timeline.add(timeline.ago(days=6.4), app_secrets.add, environment=production, by=staff(ADMIN))
    timeline.add(
        timeline.ago(days=1.2),
        app_secrets.note_use,
        secret=old_secret,
        via="token call",
        address="198.51.100.9",
    )

    def use_new_secret(now: datetime) -> None:
        new = production.secrets.live().order_by("pk").last()
        assert new is not None  # noqa: S101 - added above
        app_secrets.note_use(new, via="token call", address="198.51.100.7", now=now)

    timeline.add(timeline.ago(minutes=2), use_new_secret)
