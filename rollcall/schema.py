"""The database's migrations compared with those of this version.

Behind: the database must be migrated. Ahead: a newer version has migrated it, or a newer version's
backup was restored. This version can then run during an upgrade, because each migration leaves
what the version before it needs; it is not meant to stay.
"""

from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def behind() -> list[str]:
    """The migrations that the database lacks, as "users.0003_fewer_indexes"."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def ahead() -> list[str]:
    """The migrations of our apps that the database has and this version does not know."""
    return sorted(f"{app}.{name}" for app, name in _applied() - _known())


def apart() -> tuple[int, int]:
    """How many of our migrations the database lacks, and how many this version does not know. With
    one query, for probes.
    """
    applied, known = _applied(), _known()
    return len(known - applied), len(applied - known)


def ahead_in_words(unknown: list[str]) -> str:
    return (
        f"The database has migrations that this version does not know: {', '.join(unknown)}. "
        "A newer version has migrated it, or it is a newer version's backup."
    )


def _applied() -> set[tuple[str, str]]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {(app, name) for app, name in applied if app in _ours()}


@cache
def _known() -> set[tuple[str, str]]:
    return {(app, name) for app, name in MigrationLoader(None).disk_migrations if app in _ours()}


@cache
def _ours() -> set[str]:
    """Labels of our own apps. Other packages may drop migrations that they have squashed."""
    folders = {each.label: Path(each.path).parent for each in apps.get_app_configs()}
    return {label for label, parent in folders.items() if parent == settings.BASE_DIR}
