"""A database that is really lost: its pool knows an address where nobody listens."""

import socket

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper


@pytest.fixture
def lose_database(db, monkeypatch):
    """Call it, and this thread cannot reach the database until the test is over."""
    known = connections["default"]
    with socket.socket() as dead:
        # Bound and never listening: nobody else can take the port meanwhile.
        dead.bind(("127.0.0.1", 0))
        address = {"HOST": "127.0.0.1", "PORT": dead.getsockname()[1]}
        pool = {"min_size": 0, "max_size": 1, "timeout": 0.2}
        options = {**known.settings_dict["OPTIONS"], "pool": pool}
        lost = DatabaseWrapper(
            {**known.settings_dict, **address, "OPTIONS": options}, alias="default"
        )

        def lose():
            monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})
            connections["default"] = lost

        yield lose
        if connections["default"] is lost:
            lost.close_pool()
        connections["default"] = known
