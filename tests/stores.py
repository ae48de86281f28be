"""The stores of a test run: for processes that a test starts, and between two tests."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection


def url_of_test_database() -> str:
    """For `DATABASE_URL`: not the run's own database, but the one that its tests work on."""
    return url_of_database(connection.settings_dict["NAME"])


def url_of_database(name: str) -> str:
    """Another database of the run's server."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@contextmanager
def empty_database() -> Iterator[str]:
    """For `DATABASE_URL`: one that has no tables yet, and goes afterwards."""
    name = f"rollcall_{uuid.uuid4().hex}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield url_of_database(name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def end_other_sessions() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def delete_all_rows() -> None:
    """Leave the tables as migrations left them, after a test that has committed.

    Django's own flush truncates every table and then makes content types and permissions again,
    which takes twenty times as long. Triggers rest meanwhile: neither the order of foreign keys nor
    a table that refuses deletions stands in the way. PostgreSQL allows that to superusers alone.
    """
    tables = [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model not in (ContentType, Permission)
    ]
    deletions = [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608
    role = "SET session_replication_role = "
    with connection.cursor() as cursor:
        cursor.execute("; ".join([role + "replica", *deletions, role + "DEFAULT"]))
