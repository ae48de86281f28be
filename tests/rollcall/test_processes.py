"""Child processes live and end as one."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rollcall.processes import ChildEnded, Process, Supervisor, why_not_listen
from tests.waiting import eventually

MODULES = {
    "sleeper": "import time\ntime.sleep(60)",
    "failing": "raise SystemExit(3)",
    "stubborn": "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(60)",
    "parent": "import subprocess, sys\n"
    "print(subprocess.Popen([sys.executable, '-m', 'sleeper']).pid, flush=True)\n"
    "raise SystemExit(0)",
}
KILLED_OUTRIGHT = """
from rollcall.processes import Process, Supervisor
with Supervisor() as supervisor:
    for number in range(2):
        supervisor.start(Process(f"sleeper {number}", "sleeper"))
    print(*[child.pid for child in supervisor._children.values()], flush=True)
    supervisor.wait()
"""


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.getcwd()}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Dead, but not noticed by a process 1 that collects no orphans, as in many containers.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def pids(supervisor: Supervisor) -> list[int]:
    return [child.pid for child in supervisor._children.values()]


def test_when_one_child_ends_all_end():
    with Supervisor() as supervisor:
        supervisor.start(Process("sleeper", "sleeper"))
        supervisor.start(Process("failing", "failing"))
        with pytest.raises(ChildEnded, match="failing ended with status 3"):
            supervisor.wait()
    assert not any(map(alive, pids(supervisor)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_asks_to_stop_is_heard(number):
    before = signal.getsignal(number)
    with Supervisor() as supervisor:
        supervisor.start(Process("sleeper", "sleeper"))
        threading.Timer(0.2, os.kill, [os.getpid(), number]).start()
        supervisor.wait()
    assert not any(map(alive, pids(supervisor)))
    assert signal.getsignal(number) is before


def test_asking_twice_kills_what_does_not_listen(tmp_path):
    log = tmp_path / "log"
    with Supervisor() as supervisor:
        supervisor.start(Process("stubborn", "stubborn"), log=log)
        assert eventually(lambda: log.read_text())
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.wait()
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGTERM]).start()
        started = time.monotonic()
    assert time.monotonic() - started < 4
    assert not any(map(alive, pids(supervisor)))


def test_what_a_child_left_behind_ends_too(tmp_path):
    log = tmp_path / "log"
    with Supervisor() as supervisor:
        supervisor.start(Process("parent", "parent"), log=log)
        with pytest.raises(ChildEnded, match="parent ended with status 0"):
            supervisor.wait()
    assert eventually(lambda: not alive(int(log.read_text())))


def test_children_of_a_killed_supervisor_end():
    supervisor = subprocess.Popen(
        [sys.executable, "-c", KILLED_OUTRIGHT], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    children = [int(pid) for pid in supervisor.stdout.readline().split()]
    assert len(children) == 2
    assert all(map(alive, children))
    supervisor.kill()
    supervisor.communicate()
    assert eventually(lambda: not any(map(alive, children)))


def test_a_taken_port_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert why_not_listen("127.0.0.1", port) == "Address already in use"
    assert why_not_listen("127.0.0.1", port) is None
    assert why_not_listen("127.0.0.1", 99999) == "no such port"
    assert why_not_listen("no-such-host.invalid", port)
