import socket

import pytest
from django.db import connection

from tests.factories import make_environment, make_user
from tests.gateway.live import Clients, InThisProcess, OfItsOwn
from tests.stores import url_of_test_database


@pytest.fixture
def gateway(transactional_db):
    """A gateway within the test's own process, on a port of its own."""
    running = InThisProcess()
    yield running
    running.stop()


@pytest.fixture
def ada(gateway):
    return make_user(environment=make_environment(), user_id="ada")


@pytest.fixture
def clients(gateway):
    opened = Clients(gateway.url)
    yield opened
    opened.leave()


@pytest.fixture
def start_process(transactional_db):
    """Start gateway processes; what still runs at the end is killed."""
    started = []

    def start(*, beforehand="", **variables):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = url_of_test_database()
        process = OfItsOwn(port=port, database_url=url, beforehand=beforehand, **variables)
        started.append(process)
        return process

    yield start
    for process in started:
        process.end()
    connection.close()
