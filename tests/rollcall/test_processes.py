"""A supervisor keeps its children up, and ends them as one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rollcall import logs, orphans, processes
from rollcall.listening import why_not_listen
from rollcall.orphans import Taken
from rollcall.processes import CannotStayUp, Process, Supervisor, forked, module
from tests.waiting import PATIENCE, eventually

MODULES = {
    "sleeper": "import time\ntime.sleep(600)",
    "failing": "raise SystemExit(3)",
    "stubborn": "import os, signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "os.write(1, b'ready\\n')\n"  # at once: others write to the same pipe
    "time.sleep(600)",
    "parent": "import subprocess, sys\n"
    "print(subprocess.Popen([sys.executable, '-m', 'sleeper']).pid, flush=True)\n"
    "raise SystemExit(0)",
}
KILLED_OUTRIGHT = """
import sys
from pathlib import Path
from rollcall.processes import Supervisor, forked, module
with Supervisor(folder=Path(sys.argv[1])) as supervisor:
    for number, start in enumerate((module, forked)):
        supervisor.start(start(f"child {number}", sys.argv[2]))
    pids = supervisor._guard.pid, *supervisor.pids().values()
    sys.stdout.write(" ".join(map(str, pids)) + "\\n")  # at once: the children write, too
    sys.stdout.flush()
    supervisor.wait()
"""


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)  # for forks
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.getcwd()}")


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(tmp_path, said):
    return Supervisor(folder=tmp_path, say=said.append)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.01)


def alive(pid: int) -> bool:
    return orphans.born(pid) is not None


def recorded(folder: Path) -> dict[str, dict]:
    return {
        each["name"]: each for each in json.loads((folder / orphans.FILE).read_text())["processes"]
    }


class TestAChildThatDies:
    def test_is_started_again_and_takes_no_other_along(self, supervisor, said):
        with supervisor:
            for name in ("one", "another"):
                supervisor.start(module(name, "sleeper"))
            before = supervisor.pids()
            os.kill(before["one"], signal.SIGKILL)
            assert eventually(
                lambda: (
                    supervisor.running()
                    and supervisor.pids().get("one") not in (None, before["one"])
                )
            )
            assert supervisor.pids()["another"] == before["another"]
        assert said == ["one was killed by signal 9; restarting it in 0.2 s."]

    def test_is_forked_again(self, supervisor, said):
        with supervisor:
            supervisor.start(forked("failing", "failing"))
            assert eventually(lambda: supervisor.running() and len(said) == 2)
        assert said[0] == "failing ended with status 3; restarting it in 0.2 s."

    def test_again_and_again_waits_longer_each_time_and_is_recorded(
        self, supervisor, said, tmp_path, impatient
    ):
        with supervisor:
            supervisor.start(module("failing", "failing"))
            supervisor.start(module("sleeper", "sleeper"))
            assert eventually(lambda: supervisor.running() and len(said) >= processes.TOO_OFTEN)
            assert recorded(tmp_path)["failing"]["cannot_stay_up"]
            assert not recorded(tmp_path)["sleeper"]["cannot_stay_up"]
            with pytest.raises(CannotStayUp, match="failing cannot stay up"):
                supervisor.coming_up()
            assert supervisor.running()
        pauses = [float(line.split()[-2]) for line in said]
        assert pauses == [0.01 * 2**number for number in range(len(pauses))]

    def test_is_forgiven_once_it_stayed_up(
        self, supervisor, said, tmp_path, impatient, monkeypatch
    ):
        monkeypatch.setattr(processes, "TOO_OFTEN", 1)
        with supervisor:
            supervisor.start(module("sleeper", "sleeper"))
            os.kill(supervisor.pids()["sleeper"], signal.SIGKILL)
            assert eventually(lambda: supervisor.running() and said)
            assert recorded(tmp_path)["sleeper"]["cannot_stay_up"]
            assert eventually(lambda: supervisor.running() and supervisor.pids())
            monkeypatch.setattr(processes, "STEADY", 0)
            assert eventually(
                lambda: supervisor.running() and not recorded(tmp_path)["sleeper"]["cannot_stay_up"]
            )

    def test_that_cannot_even_be_started_takes_no_other_along(self, supervisor, said, tmp_path):
        with supervisor:
            supervisor.start(module("sleeper", "sleeper"))
            supervisor.start(Process("missing", ("/no/such/program",)))
            assert supervisor.running()
            assert list(supervisor.pids()) == ["sleeper"]
        assert said[0].startswith("missing cannot be started: ")

    def test_leaves_nothing_of_its_own_behind(self, supervisor, tmp_path, said):
        log = tmp_path / "log"
        with supervisor:
            supervisor.start(module("parent", "parent"), log=log)
            assert eventually(lambda: supervisor.running() and said)
            assert eventually(lambda: not alive(int(log.read_text().split()[0])))


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_who_asks_is_heard(self, number, supervisor, tmp_path):
        before = signal.getsignal(number)
        with supervisor:
            supervisor.start(module("sleeper", "sleeper"))
            pids = supervisor.pids().values()
            threading.Timer(0.2, os.kill, [os.getpid(), number]).start()
            supervisor.wait()
        assert not any(map(alive, pids))
        assert signal.getsignal(number) is before
        assert not (tmp_path / orphans.FILE).exists()

    def test_asking_twice_kills_what_does_not_listen(self, supervisor, tmp_path, monkeypatch):
        """And not the end of the polite wait, nor its own."""
        monkeypatch.setattr(processes, "GRACE", 10 * PATIENCE)
        log = tmp_path / "log"
        with supervisor:
            supervisor.start(module("stubborn", "stubborn"), log=log)
            child = supervisor._children["stubborn"].popen
            assert eventually(lambda: log.exists() and log.read_text())
            os.kill(os.getpid(), signal.SIGTERM)
            supervisor.wait()
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGTERM]).start()
        assert child.returncode == -signal.SIGKILL

    def test_a_fork_is_asked_as_any_other(self, supervisor, tmp_path):
        log = tmp_path / "log"
        with supervisor:
            supervisor.start(forked("sleeper", "sleeper"), log=log)
            child = supervisor._children["sleeper"].popen
        assert child.poll() == -signal.SIGTERM

    def test_stores_end_last(self, supervisor, tmp_path):
        """And each by the signal that it understands."""
        log = tmp_path / "log"
        says = "trap 'echo {0}; exit' {1}; echo ready; while :; do sleep 0.01; done"
        with supervisor:
            for name, number in (("STORE", signal.SIGINT), ("WEB", signal.SIGTERM)):
                shell = ("sh", "-c", says.format(name, number.name.removeprefix("SIG")))
                process = Process(name, shell, stop_signal=number, is_store=name == "STORE")
                supervisor.start(process, log=log)
            assert eventually(lambda: log.read_text().count("ready") == 2)
        assert log.read_text().split()[-2:] == ["WEB", "STORE"]


class TestKilledOutright:
    """A supervisor that was killed with -9."""

    def start(self, folder, child):
        supervisor = subprocess.Popen(
            [sys.executable, "-c", KILLED_OUTRIGHT, str(folder), child],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert supervisor.stdout is not None
        said = [supervisor.stdout.readline() for _ in range(3 if child == "stubborn" else 1)]
        supervisor.stdout.close()
        guard, *children = map(int, next(line for line in said if line != "ready\n").split())
        assert len(children) == 2
        assert all(map(alive, children))
        return supervisor, guard, children

    def test_takes_its_children_along(self, tmp_path):
        supervisor, _, children = self.start(tmp_path, "sleeper")
        supervisor.kill()
        supervisor.wait()
        assert eventually(lambda: not any(map(alive, children)))

    def test_leaves_orphans_which_the_next_one_ends(self, tmp_path, supervisor, said, monkeypatch):
        monkeypatch.setattr(orphans, "GRACE", 0.1)
        killed, guard, children = self.start(tmp_path, "stubborn")
        os.kill(guard, signal.SIGKILL)
        killed.kill()
        killed.wait()
        assert all(map(alive, children))
        with supervisor:
            assert eventually(lambda: not any(map(alive, children)))
        assert said == ["An earlier run was killed. Ended its processes: child 0, child 1."]

    def test_names_nobody_who_has_got_an_id_since(self, tmp_path, supervisor):
        stranger = subprocess.Popen([sys.executable, "-m", "sleeper"], start_new_session=True)
        own = orphans.Started("web", stranger.pid, "before", signal.SIGTERM, False, False)
        for world in (orphans.here(), "another boot"):
            orphans.Record(1, None, world, [own]).write(tmp_path)
            with supervisor:
                assert alive(stranger.pid)
        stranger.kill()
        stranger.wait()


def test_a_folder_has_one_supervisor(supervisor, tmp_path):
    with supervisor, pytest.raises(Taken), Supervisor(folder=tmp_path):
        pass


def test_a_guard_that_dies_is_replaced(supervisor):
    with supervisor:
        guard = supervisor._guard
        guard.kill()
        guard.communicate()
        assert supervisor.running()
        assert supervisor._guard.poll() is None


def test_a_log_is_kept_across_starts_and_bounded(tmp_path):
    log = tmp_path / "log"
    for _ in range(2):
        with Supervisor(folder=tmp_path) as supervisor:
            supervisor.start(Process("echo", ("echo", "line")), log=log)
            assert eventually(lambda: supervisor._children["echo"].popen.poll() is not None)
    assert log.read_text() == "line\n" * 2
    with open(log, "ab") as writer:  # as a child has it
        logs.bound(log, limit=5)
        assert (log.read_text(), (tmp_path / "log.1").read_text()) == ("", "line\n" * 2)
        writer.write(b"next\n")
    assert log.read_text() == "next\n"
    logs.bound(log, limit=5)
    assert log.read_text() == "next\n"


def test_a_taken_port_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert why_not_listen("127.0.0.1", port) == "Address already in use"
    assert why_not_listen("127.0.0.1", port) is None
    assert why_not_listen("127.0.0.1", 99999) == "no such port"
    assert why_not_listen("no-such-host.invalid", port)
