"""The list of connections, and kicking them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import AuditEvent, Role
from tests.console.pages import address, sign_in
from tests.factories import (
    NOON,
    make_connection,
    make_environment,
    make_gateway,
    make_user,
)
from users import gateway_processes
from users.models import Connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon", "member")]


def get(client, environment, **query):
    return client.get(address("connections:index", environment), query)


def listed(response):
    return [row.connection.user_id for row in response.context["rows"]]


class TestConnectionList:
    def test_shows_connections_of_living_gateways_newest_first(self, client, environment):
        alive, dead = make_gateway(), make_gateway(lease_until=NOON)
        make_user(environment=environment, user_id="mia", name="Mia")
        for user_id in ("mia", "ben"):
            make_connection(
                environment=environment,
                user_id=user_id,
                gateway=alive,
                device="phone-1",
                platform="android",
                address="192.0.2.9",
            )
        make_connection(environment=environment, user_id="ghost", gateway=dead)
        make_connection(environment=make_environment(), user_id="stranger", gateway=alive)
        page = get(client, environment)
        assert listed(page) == ["ben", "mia"]
        assert page.context["total"].value == 2
        for shown in ("Mia", "phone-1", "android", "192.0.2.9", alive.name):
            assert shown in page.text

    def test_turns_pages_by_cursor(self, client, environment):
        gateway = make_gateway()
        for number in range(60):
            make_connection(environment=environment, user_id=f"u{number:02}", gateway=gateway)
        first = get(client, environment)
        second = get(client, environment, cursor=first.context["connections"].next)
        assert listed(first) + listed(second) == [f"u{number:02}" for number in range(59, -1, -1)]

    def test_finds_by_prefix(self, client, environment):
        gateway = make_gateway()
        for user_id in ("mia.b", "ami", "mia", "mia"):
            make_connection(environment=environment, user_id=user_id, gateway=gateway)
        assert listed(get(client, environment, q="mia")) == ["mia", "mia", "mia.b"]
        assert "This cannot be a user id" in get(client, environment, q="a b\0").text

    def test_shows_how_to_connect_if_nobody_is_connected(self, client, environment, settings):
        settings.GATEWAY_URL = "wss://chat.example.com/gateway"
        page = get(client, environment).text
        assert environment.app_key in page
        assert "wss://chat.example.com/gateway" in page
        assert address("try_it:index", environment) in page

    def test_makes_as_many_queries_for_thirty_as_for_three(self, client, environment):
        gateway = make_gateway()

        def queries(count):
            for _ in range(count):
                make_connection(environment=environment, user_id="mia", gateway=gateway)
            with CaptureQueriesContext(connection) as captured:
                get(client, environment)
            return len(captured)

        # Session, account, environment, member; connections, names, their number.
        assert queries(3) == queries(30) == 7


class TestConnectionKick:
    def test_closes_only_this_connection(self, client, environment):
        gateway = make_gateway()
        phone, laptop = (
            make_connection(environment=environment, user_id="mia", gateway=gateway, device=device)
            for device in ("phone", "laptop")
        )
        client.post(address("connections:kick", environment, phone.pk))
        assert gateway_processes.kicks(gateway=gateway) == [phone]
        assert AuditEvent.objects.get(type="user.kicked").after["device"] == "phone"
        assert "closing" in get(client, environment).text
        assert laptop in Connection.objects.filter(kicked_at=None)

    def test_says_if_it_is_already_closed(self, client, environment):
        response = client.post(address("connections:kick", environment, 4711), follow=True)
        assert "already closed" in response.text

    def test_finds_only_connections_of_its_environment(self, client, environment):
        foreign = make_connection(environment=make_environment(), user_id="mia")
        client.post(address("connections:kick", environment, foreign.pk))
        foreign.refresh_from_db()
        assert foreign.kicked_at is None

    def test_is_disabled_for_a_viewer(self, client, environment):
        make_connection(environment=environment, user_id="mia")
        sign_in(client, environment, Role.VIEWER)
        assert "Needs role" in get(client, environment).text


class TestOnlineEverywhere:
    def test_environment_users_and_connections_agree(self, client, environment):
        """A user on two devices and a user whose gateway died: one user online, two connections."""
        make_user(environment=environment, user_id="mia", last_seen_at=NOON)
        make_user(environment=environment, user_id="ghost", last_seen_at=NOON)
        gateway = make_gateway()
        for _ in range(2):
            make_connection(environment=environment, user_id="mia", gateway=gateway)
        make_connection(
            environment=environment, user_id="ghost", gateway=make_gateway(lease_until=NOON)
        )
        assert client.get(address("environment:index", environment)).context["online"].value == 1
        online = client.get(address("users:index", environment), {"tab": "online"})
        assert [row.user.user_id for row in online.context["rows"]] == ["mia"]
        assert len(get(client, environment).context["rows"]) == 2
        page = client.get(address("users:detail", environment, "mia"))
        assert len(page.context["connections"]) == 2
        ghost = client.get(address("users:detail", environment, "ghost"))
        assert ghost.context["connections"] == []
