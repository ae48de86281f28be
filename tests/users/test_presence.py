"""Who is online, and closing connections."""

import pytest

from applications.models import AuditEvent
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
    staff_actor,
)
from users import presence
from users.models import AppUser, Connection

pytestmark = pytest.mark.django_db


class TestOnline:
    def test_is_who_has_a_connection_in_a_live_process(self):
        environment = make_environment()
        dead = make_gateway(lease_until=NOON)
        for user_id, gateway in (("ada", None), ("ada", None), ("bob", dead)):
            make_connection(environment=environment, user_id=user_id, gateway=gateway)
        make_connection(environment=make_environment(), user_id="carl")
        ask = {"environment": environment, "now": NOON}
        assert presence.online(user_ids=["ada", "bob", "carl"], **ask) == {"ada"}
        assert presence.online_count(**ask) == 1
        assert not presence.is_online(user_id="bob", **ask)

    def test_ends_with_the_lease_of_a_killed_process(self):
        environment = make_environment()
        gateway = make_gateway(lease_until=NOON + MINUTE)
        make_user(environment=environment, user_id="ada")
        make_connection(environment=environment, user_id="ada", gateway=gateway)
        for now, online in ((NOON + MINUTE / 2, True), (NOON + MINUTE, False)):
            ask = {"environment": environment, "user_id": "ada", "now": now}
            assert presence.is_online(**ask) == online
            assert AppUser.objects.online(now).exists() == online


class TestKick:
    def kick(self, environment, **at):
        return presence.kick(
            environment=environment, user_id="ada", by=staff_actor(), **{"now": NOON} | at
        )

    def test_asks_for_every_connection_of_the_user_once(self):
        environment = make_environment()
        for _ in range(2):
            make_connection(environment=environment, user_id="ada")
        other = make_connection(environment=environment, user_id="bob")
        assert self.kick(environment) == 2
        assert self.kick(environment, now=NOON + HOUR) == 0
        asked = Connection.objects.filter(kicked_at=NOON, kick_reason="kicked")
        assert asked.count() == 2
        assert other not in asked
        assert AuditEvent.objects.get(type="user.kicked").after == {"connections": 2}
