"""The stores of a test run, for processes that a test starts."""

import os

from django.db import connection


def url_of_test_database() -> str:
    """For `DATABASE_URL`: not the run's own database, but the one that its tests work on."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        server, question, options = os.environ["DATABASE_URL"].partition("?")
        return server.rpartition("/")[0] + f"/{name}{question}{options}"
    return f"sqlite:///{name}"
