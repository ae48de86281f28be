"""A database that is really lost: its address is one where nobody listens."""

import socket

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper


@pytest.fixture
def lose_database(db):
    """Call it, and this thread cannot reach the database until the test is over."""
    known = connections["default"]
    with socket.socket() as dead:
        # Bound and never listening: nobody else can take the port meanwhile.
        dead.bind(("127.0.0.1", 0))
        address = {"HOST": "127.0.0.1", "PORT": dead.getsockname()[1]}
        lost = DatabaseWrapper({**known.settings_dict, **address}, alias="default")

        def lose():
            connections["default"] = lost

        yield lose
        connections["default"] = known
