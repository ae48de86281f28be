"""A primary and its standby: killed, promoted, lagging. Real servers, and all of `serve`."""

from datetime import datetime, timedelta

import pytest
from django.db import connections
from environ import Env

from applications import standby as reading
from rollcall.postgresql.base import DatabaseWrapper
from tests.clusters import Cluster, url_of_all
from tests.factories import NOON
from tests.serving import Registrars, Serving
from tests.waiting import eventually


@pytest.fixture
def primary(tmp_path):
    started = Cluster(tmp_path / "primary")
    yield started
    started.kill()


@pytest.fixture
def standby(tmp_path, primary):
    started = Cluster(tmp_path / "standby", following=primary)
    yield started
    started.kill()


def test_a_primary_is_killed_under_load_its_standby_promoted_and_nothing_is_lost(
    primary, standby, serve, tmp_path
):
    Serving(tmp_path / "migrating", DATABASE_URL=primary.url).manage("migrate", "-v0")
    primary.wait_for_standby(synchronous=True)
    serving = serve(DATABASE_URL=url_of_all(standby, primary))
    ada = serving.connect(serving.register("ada"))
    banned = [name for name in map(str, range(10)) if serving.ban(name)]
    registrars = Registrars(serving)
    try:
        registrars.more(100)
        primary.kill()
        standby.promote()
        registrars.more(100)
    finally:
        registrars.stop()

    kept = {user_id for [user_id] in standby.ask("SELECT user_id FROM users_appuser")}
    assert set(registrars.acknowledged) - kept == set()
    assert banned == [
        user_id for [user_id] in standby.ask("SELECT user_id FROM moderation_ban ORDER BY 1")
    ]
    # The gateway: ada's connection lived on, and a ban reaches it. Worker and beat: they sweep.
    assert ada.call("blocklist.get")["ok"]
    assert serving.ban("ada")
    assert ada.closed() == (4010, "banned")
    assert eventually(serving.is_ready), serving.readiness()


@pytest.fixture
def followed(primary, standby, monkeypatch, django_db_blocker):
    """This process works on the primary, and may read from the standby."""
    known = connections["default"]
    primary.wait_for_standby(synchronous=False)
    monkeypatch.setattr(reading, "_looked_at", None)
    for alias, cluster in (("default", primary), (reading.ALIAS, standby)):
        own = {**known.settings_dict, **Env.db_url_config(cluster.url)}
        own |= {"ENGINE": "rollcall.postgresql", "OPTIONS": own["OPTIONS"]}
        monkeypatch.setitem(connections.settings, alias, own)
        connections[alias] = DatabaseWrapper(own, alias)
    with django_db_blocker.unblock():
        yield
    for alias in ("default", reading.ALIAS):
        connections[alias].close()
    del connections[reading.ALIAS]
    connections["default"] = known


def read_at(now: datetime) -> str:
    return reading.read(lambda database: database, now=now)


def test_a_standby_is_read_while_it_is_fit_and_otherwise_the_primary(
    followed, primary, standby, monkeypatch
):
    primary.ask("CREATE TABLE first ()")
    assert eventually(lambda: reading.fault() is None)
    assert read_at(NOON) == reading.ALIAS

    monkeypatch.setattr(reading, "MOST_BEHIND", timedelta(0))
    standby.ask("SELECT pg_wal_replay_pause()")
    primary.ask("CREATE TABLE later ()")
    assert "s behind; the primary is read instead" in reading.fault()
    assert read_at(NOON + timedelta(minutes=1)) == "default"
    standby.ask("SELECT pg_wal_replay_resume()")
    assert eventually(lambda: reading.fault() is None)

    standby.kill()
    assert read_at(NOON + timedelta(minutes=2)) == "default"
    assert reading.fault().startswith("The standby does not answer")


def test_what_fails_on_the_standby_is_read_from_the_primary(followed, standby):
    def read(database):
        with connections[database].cursor() as cursor:
            if database == reading.ALIAS:
                cursor.execute("SELECT 1 / 0")
        return database

    assert eventually(lambda: reading.fault() is None)
    assert reading.read(read, now=NOON) == "default"


def test_a_server_that_follows_none_is_not_read(followed, standby):
    standby.promote()
    assert eventually(lambda: "no standby" in (reading.fault() or ""))
