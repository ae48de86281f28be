"""PostgreSQL and Valkey from wheels: where they run, as whom, and who may reach them."""

import os
import pwd
import signal
import subprocess

import psycopg
import pytest
import redis

from rollcall import stores
from rollcall.setpriv import NeedsSetpriv, tied_as_owner
from rollcall.stores import StoreError, places, postgres, valkey
from rollcall.stores.places import MAX_SOCKET_PATH, Place

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root's stores need, others have")


def test_a_socket_has_a_name_that_is_short_enough_wherever_the_folder_is(tmp_path):
    near = Place(tmp_path / "stores")
    deep = Place(tmp_path / ("deep" * 30) / "stores")
    assert near.sockets.is_relative_to(tmp_path)
    for place in (near, deep):
        assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) <= MAX_SOCKET_PATH
    assert deep.sockets != Place(tmp_path / ("Deep" * 30) / "stores").sockets


def test_a_folder_of_somebody_else_is_not_used_for_sockets(tmp_path, monkeypatch):
    deep = Place(tmp_path / ("deep" * 30) / "stores")
    deep.sockets.symlink_to(tmp_path)
    try:
        with pytest.raises(StoreError, match="belongs to somebody else"):
            deep.prepare()
    finally:
        deep.sockets.unlink()


def test_addresses_may_hold_any_character(tmp_path):
    folder = tmp_path / "a b&c?d%e"
    place = Place(folder)
    place.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores.tempfile, "mkdtemp", lambda prefix: str(folder))
        urls = stores.temporary()
    with psycopg.connect(urls.database) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        # Letters of every script count as letters, or search would not find them.
        connection.execute("CREATE EXTENSION pg_trgm")
        assert len(connection.execute("SELECT show_trgm('北京')").fetchone()[0]) == 3
    with redis.Redis.from_url(urls.redis) as client:
        assert client.ping()


@pytest.mark.parametrize(
    ("redis_url", "broker_url"),
    [
        ("redis://host:6379/2", "redis://host:6379/2"),
        ("unix:///run/valkey?db=3", "redis+socket:///run/valkey?virtual_host=3"),
        ("unix:///run/valkey", "redis+socket:///run/valkey"),
    ],
)
def test_celery_is_told_of_sockets_in_its_own_words(redis_url, broker_url):
    assert valkey.broker_url(redis_url) == broker_url


def test_without_a_wheel_the_two_variables_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "find_spec", lambda name: None)
    for store in (postgres, valkey):
        with pytest.raises(StoreError, match=r"on this platform\. Set DATABASE_URL and REDIS_URL"):
            store.server(Place(tmp_path))


@as_root
def test_root_runs_them_as_somebody_else_who_may_enter_every_folder(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "program"
    program.write_text("#!/bin/sh\nid -un\ntest -r $0 && test -w . && echo may\n")
    program.chmod(0o700)
    words = tied_as_owner(signal.SIGTERM, pwd.getpwnam("nobody").pw_uid)
    run = subprocess.run([*words, program], cwd=closed, capture_output=True, text=True)
    assert run.stdout.split() == ["nobody", "may"], run.stderr


@as_root
def test_root_without_setpriv_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr("rollcall.setpriv._is_here", lambda: False)
    with pytest.raises(NeedsSetpriv, match="Start Rollcall as an ordinary user, or set DATABASE"):
        tied_as_owner(signal.SIGTERM, 1)
