"""`make demo` and `make serve`, started as people start them."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.rollcall.test_processes import alive
from tests.waiting import eventually


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def start(tmp_path, port):
    """Start a command of `manage.py` with a data folder of its own; what still runs is killed."""
    started = []
    with socket.create_server(("127.0.0.1", 0)) as free:
        gateway_port = free.getsockname()[1]
    own = {
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": str(port),
        "GATEWAY_PORT": str(gateway_port),
    }

    def _start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        process.kill()
        process.communicate()


def read_until(process, text):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail("".join(lines))


def get(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return response.status


def answers(port, path):
    try:
        return get(port, path) == 200
    except OSError:  # nobody listens yet, or not with 200
        return False


def children(process):
    if not Path("/proc/self").exists():
        pytest.skip("tells who started whom by /proc, which this system has not")
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if pid != process.pid and _parent(pid) == process.pid]


def _parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


@pytest.mark.skipif(bool(settings.REDIS_URL), reason="the demo needs neither PostgreSQL nor Redis")
def test_the_demo_runs_with_nothing_set_and_leaves_nothing_behind(start, port, tmp_path):
    before = set(settings.BASE_DIR.iterdir())
    store = {"DATABASE_URL": "", "REDIS_URL": ""}
    first = start("demo", **store)
    told = read_until(first, "Ctrl-C")
    assert f"http://127.0.0.1:{port}/" in told
    assert "demo / " in told
    assert told.count("app key") == told.count("app secret") == 2
    assert get(port) == 200
    started = children(first)
    assert len(started) >= 4  # web, worker, beat and their guard

    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert not any(map(alive, started))

    # A second start finds the same data; killed outright, it takes everything along.
    second = start("demo", **store)
    again = read_until(second, "Ctrl-C")
    assert again == told.replace("Making sample data ...\n", "")
    started = [pid for pid in children(second) if os.getpgid(pid) != os.getpgid(second.pid)]
    second.kill()
    assert eventually(lambda: sum(map(alive, started)) <= 1)  # the guard sees to it, then goes
    assert set(settings.BASE_DIR.iterdir()) <= before | {settings.BASE_DIR / "test-results"}


def test_a_taken_port_is_named_before_anything_starts(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.HOST, settings.PORT = server.getsockname()
        with pytest.raises(CommandError, match=r"Address already in use\. PORT chooses another"):
            call_command("demo")


def test_serve_names_what_is_missing(start):
    process = start("serve", DATABASE_URL="", REDIS_URL="")
    told, _ = process.communicate(timeout=90)
    assert "(serve.1) DATABASE_URL" in told
    assert process.returncode == 1


@pytest.fixture
def database_url():
    """An empty database on the server of this run."""
    url = os.environ["DATABASE_URL"]
    name = f"rollcall_serve_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_serve_migrates_when_told_to_and_then_answers(start, port, database_url, redis_url):
    stores = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    told, _ = start("serve", **stores).communicate(timeout=90)
    assert "(serve.6) The database has not been migrated" in told

    process = start("serve", "--migrate", **stores)
    assert eventually(lambda: answers(port, "/readyz"))
    started = children(process)
    assert len(started) == 5  # web, gateway, worker, beat and their guard
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert not any(map(alive, started))
