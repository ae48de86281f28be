"""Fjord Support: a new application of another owner, with production on the trial plan.

The account `demo` is a tester here: it can fill the empty development environment, and production
shows what a role does not allow.
"""

from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any

from applications import environments, members
from applications.models import Role
from moderation import bans
from rollcall.demo.names import unique_names
from rollcall.demo.timeline import Timeline, staff
from users.models import AppUser


def fill(timeline: Timeline, owner: Any, tester: str, random: Random) -> None:
    by = staff(owner.get_username())
    fjord = environments.create_application(
        name="Fjord Support", owner=owner, by=by, now=timeline.ago(days=19)
    )
    timeline.add(
        timeline.ago(days=18.9),
        members.add,
        application=fjord.application,
        username=tester,
        role=Role.TESTER,
        by=by,
    )
    production = fjord.environments["production"]
    users = [
        AppUser(
            user_id=user_id,
            name=name,
            registered_at=timeline.ago(days=random.uniform(4, 18)),
            last_seen_at=timeline.ago(days=random.uniform(0.05, 4)),
        )
        for user_id, name in islice(unique_names(random), 41)
    ]
    timeline.register(production, users)
    users[0].last_seen_at = timeline.ago(days=1.5)
    timeline.add(
        timeline.ago(days=1.4),
        bans.impose,
        environment=production,
        user_ids=[users[0].user_id],
        expires_at=timeline.now + timedelta(days=5),
        reason="Insulted an agent",
        by=by,
    )
