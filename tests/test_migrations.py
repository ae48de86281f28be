"""The previous version runs while a migration runs, and after it until it is replaced."""

import logging

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_migration_linter import MigrationLinter

# The last migrations before this rule.
FREE_UNTIL = {"applications": 9, "moderation": 9, "users": 9}


def lint(migrations):
    """The linter, after it has judged the SQL of these: columns that the previous version needs and
    that go, are renamed, or become NOT NULL without a default of the database.
    """
    logging.getLogger("django_migration_linter").setLevel(logging.WARNING)
    linter = MigrationLinter(str(settings.BASE_DIR), no_cache=True, no_output=True)
    for migration in migrations:
        linter.lint_migration(migration)
    return linter


def migrations():
    loader = MigrationLoader(connection)
    ours = {
        each.label for each in apps.get_app_configs() if (settings.BASE_DIR / each.label).is_dir()
    }
    for app, name in sorted(loader.graph.nodes):
        if app in ours:
            yield app, int(name[:4]), loader.get_migration(app, name)


@pytest.mark.django_db
def test_the_previous_version_can_go_on_during_and_after_each_migration():
    newer = [each for app, number, each in migrations() if number > FREE_UNTIL.get(app, 0)]
    linter = lint(newer)
    assert linter.nb_erroneous == 0, "manage.py sqlmigrate shows the SQL; CONTRIBUTING.md says how"
    assert linter.nb_total == len(newer)


@pytest.mark.django_db
def test_the_linter_finds_a_new_column_that_the_previous_version_would_not_fill():
    assert lint(
        [MigrationLoader(connection).get_migration("moderation", "0003_ban_tell_reason")]
    ).nb_erroneous
