"""Who is online, and closing connections."""

import pytest

from applications.counting import Count
from applications.models import AuditEvent, Delivery
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
    make_webhook,
    staff_actor,
)
from users import gateway_processes, presence
from users.models import AppUser, Connection

pytestmark = pytest.mark.django_db


class TestOnline:
    def test_is_who_has_a_connection_in_a_live_process(self):
        environment = make_environment()
        dead = make_gateway(lease_until=NOON)
        for user_id, gateway in (("ada", None), ("ada", None), ("bob", dead)):
            make_connection(environment=environment, user_id=user_id, gateway=gateway)
        make_connection(environment=make_environment(), user_id="carl")
        make_connection(environment=environment, user_id="dan", kicked_at=NOON)
        ask = {"environment": environment, "now": NOON}
        everybody = ["ada", "bob", "carl", "dan"]
        assert presence.online(user_ids=everybody, **ask) == {"ada"}
        assert presence.online_count(**ask) == Count(1)
        assert [each for each in everybody if presence.is_online(user_id=each, **ask)] == ["ada"]

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


class TestWebhooks:
    """Each connection is told of once when it opens, and once when it is struck out."""

    @pytest.fixture
    def ada(self):
        ada = make_user(environment=make_environment(), user_id="ada")
        make_webhook(environment=ada.environment, events=["user.online", "user.offline"])
        return ada

    def connect(self, user, gateway):
        opened = make_connection(
            environment=user.environment,
            user_id=user.user_id,
            gateway=gateway,
            device="phone",
            connected_at=NOON,
        )
        presence.announce_online([opened], now=NOON)
        return opened

    def told(self):
        heard = Delivery.objects.order_by("pk")
        return [(each.event, each.data["connection"], each.occurred_at) for each in heard]

    def test_hear_of_each_connection_that_opens_and_ends(self, ada):
        gateway = make_gateway()
        phone, laptop = self.connect(ada, gateway), self.connect(ada, gateway)
        for now in (NOON + MINUTE, NOON + HOUR):  # the second time there is nothing left
            presence.disconnect(connection_ids=[phone.pk], now=now)
        gateway_processes.stop(gateway=gateway, now=NOON + HOUR)
        assert self.told() == [
            ("user.online", phone.pk, NOON),
            ("user.online", laptop.pk, NOON),
            ("user.offline", phone.pk, NOON + MINUTE),
            ("user.offline", laptop.pk, NOON + HOUR),
        ]
        assert Delivery.objects.first().data["device"] == "phone"

    def test_hear_that_a_dead_process_held_them_until_its_lease_was_over(self, ada):
        dead, alive = make_gateway(lease_until=NOON + MINUTE), make_gateway(lease_until=NOON + HOUR)
        lost, held = self.connect(ada, dead), self.connect(ada, alive)
        assert gateway_processes.remove_dead(now=NOON + 2 * MINUTE) == 1
        assert self.told()[2:] == [("user.offline", lost.pk, NOON + MINUTE)]
        assert list(Connection.objects.all()) == [held]
        ada.refresh_from_db()
        assert ada.last_seen_at == NOON + MINUTE
        # Seen elsewhere since then, they do not go back in time.
        AppUser.objects.update(last_seen_at=NOON + HOUR)
        gateway_processes.stop(gateway=alive, now=NOON + 2 * MINUTE)
        ada.refresh_from_db()
        assert ada.last_seen_at == NOON + HOUR
