"""`make serve`, started as people start it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

from tests.rollcall.test_processes import alive, recorded
from tests.stores import empty_database
from tests.waiting import PATIENCE, eventually


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
        "WEB_WORKERS": "1",
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


def get(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return response.status


def answers(port, path):
    try:
        return get(port, path) == 200
    except OSError:  # nobody listens yet, or not with 200
        return False


def memory(pid):
    """MiB that a process and its descendants occupy, each shared page counted once."""
    if sys.platform != "linux":
        return 0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0
    own = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
    return own / 1024 + sum(map(memory, children))


def test_names_what_is_missing(start):
    process = start("serve", DATABASE_URL="", REDIS_URL="")
    told, _ = process.communicate(timeout=PATIENCE)
    assert "(serve.1) DATABASE_URL" in told
    assert process.returncode == 1


def test_migrates_when_told_to_and_then_answers_whatever_is_killed(start, port, tmp_path):
    with empty_database() as url:
        told, _ = start("serve", DATABASE_URL=url).communicate(timeout=PATIENCE)
        assert "(serve.6) The database is not migrated" in told

        process = start("serve", "--migrate", DATABASE_URL=url)
        assert eventually(lambda: answers(port, "/readyz"))
        started = {name: each["pid"] for name, each in recorded(tmp_path / "data").items()}
        assert list(started) == ["web", "gateway", "worker", "beat"]
        assert memory(process.pid) < 350
        os.kill(started["web"], signal.SIGKILL)
        assert eventually(
            lambda: recorded(tmp_path / "data")["web"]["pid"] not in (0, started["web"])
        )
        assert eventually(lambda: answers(port, "/readyz"))
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=PATIENCE)
        assert "web was killed by signal 9; restarting it in 0.2 s." in told
        assert process.returncode == 0
        assert not any(map(alive, started.values()))
