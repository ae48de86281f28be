"""A gateway process that is cut off from its stores, or was stopped, closes its connections before
others count them as closed.
"""

import json
import signal
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests.factories import make_environment, make_user
from tests.gateway.live import Clients
from tests.proxy import Proxy
from tests.waiting import eventually
from users.models import GatewayProcess, Message

UNAVAILABLE = (1013, "unavailable")
# With a lease of few seconds, so that nobody waits long.
SHORT_LEASE = """
import django; django.setup()
from datetime import timedelta
from gateway import process
from users import gateway_processes
gateway_processes.LEASE, process.RENEW_EVERY = timedelta(seconds=6), 0.5
"""


@pytest.fixture
def bob(transactional_db):
    return make_user(environment=make_environment(), user_id="bob")


def let_in(clients, user):
    """A client, once the process lets it in: on a busy machine a short lease may end in between."""
    inside = []

    def tries():
        client = clients.attempt(user)
        if client.hear()["event"] == "connected":
            inside.append(client)
        return inside

    assert eventually(tries)
    return inside[0]


@pytest.fixture
def stores():
    """Proxies in front of both, and the settings that lead through them."""
    database = connection.get_connection_params()
    host, port = str(database["host"]), database.get("port", 5432)
    is_socket = host.startswith("/")
    postgres = Proxy(f"{host}/.s.PGSQL.{port}" if is_socket else (host, int(port)))
    parts = urlsplit(settings.REDIS_URL)
    redis = Proxy(parts.path if parts.scheme == "unix" else (parts.hostname, parts.port or 6379))
    number = parts.query.removeprefix("db=") if parts.scheme == "unix" else parts.path[1:]
    login = f"{database['user']}:{database.get('password', '')}"
    name = connection.settings_dict["NAME"]
    yield (
        [postgres, redis],
        {
            "DATABASE_URL": f"postgres://{login}@127.0.0.1:{postgres.port}/{name}",
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/{number or 0}",
        },
    )
    postgres.close()
    redis.close()


def test_a_process_that_is_cut_off_closes_its_connections_and_comes_back(
    start_process, stores, bob
):
    proxies, urls = stores
    process = start_process(beforehand=SHORT_LEASE, **urls).wait()
    clients = Clients(process.url)
    client = let_in(clients, bob)
    for proxy in proxies:
        proxy.cut()
    assert client.closed() == UNAVAILABLE

    for proxy in proxies:
        proxy.mend()
    let_in(clients, bob)
    clients.leave()


def test_a_process_that_wakes_answers_nothing_and_closes_its_connections(start_process, bob):
    """As after ten minutes of SIGSTOP: its connections are not known any more."""
    process = start_process(beforehand=SHORT_LEASE).wait()
    clients = Clients(process.url)
    client = let_in(clients, bob)
    process.process.send_signal(signal.SIGSTOP)
    client.say(
        json.dumps({"id": 1, "call": "message.send", "to": "ann", "body": "Hi", "client_id": "1"})
    )
    own = GatewayProcess.objects.filter(name__contains=f":{process.process.pid}:")
    assert eventually(lambda: own.get().lease_until < timezone.now())
    process.process.send_signal(signal.SIGCONT)
    assert client.closed() == UNAVAILABLE
    assert [each["event"] for each in client.heard] == ["closing"]
    assert not Message.objects.exists()
    clients.leave()
