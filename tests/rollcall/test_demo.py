"""`make demo`, started as people start it, and then treated badly.

It runs below a folder that is closed to others and longer than a socket's name may be.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from redis import Redis

from rollcall import orphans, stores
from rollcall.management.commands.demo import Command as DemoCommand
from rollcall.processes import Supervisor
from rollcall.stores import postgres, valkey
from tests.rollcall.test_processes import alive, recorded
from tests.waiting import PATIENCE, eventually

PROCESSES = ["valkey", "postgres", "web", "worker", "beat", "life"]


class Demo:
    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.data = data
        own = {
            "DATA_DIR": str(data),
            "PORT": str(self.port),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "SWEEP_SECONDS": "1",
        }
        self.environment = os.environ | own
        self.place = stores.under(data)
        self.process: subprocess.Popen[str] | None = None

    def launch(self, *command, **environment):
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self) -> str:
        """What it tells."""
        self.process = self.launch("demo", "--users", "4000")
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return "".join(lines)
        pytest.fail("".join(lines))

    def stop(self, number=signal.SIGINT) -> str:
        self.process.send_signal(number)
        told, _ = self.process.communicate(timeout=PATIENCE)
        return told

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop()

    def run(self, *command, **environment):
        """A command of `manage.py`: its status, and what it tells."""
        process = self.launch(*command, **environment)
        told, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, told

    def pids(self) -> dict[str, int]:
        return {name: each["pid"] for name, each in recorded(self.data).items()}

    def has_another(self, name: str, pid: int) -> bool:
        return self.pids()[name] not in (0, pid)

    def ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status == 200
        except OSError:  # nobody listens yet, or not with 200
            return False

    def database(self):
        return psycopg.connect(postgres.url(self.place), autocommit=True)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """One demo for all of these tests, for its sample data takes seconds."""
    folder = tmp_path_factory.mktemp("demo") / ("deep" * 25)
    folder.mkdir()
    folder.chmod(0o700)
    demo = Demo(folder / "data")
    demo.told = demo.start()
    yield demo
    demo.end()


@pytest.fixture
def demo(first):
    if first.process.poll() is not None:
        first.start()
    return first


def test_with_nothing_set_it_shows_a_page_and_says_how_to_sign_in(demo):
    told = demo.told
    assert f"http://127.0.0.1:{demo.port}/" in told
    assert "demo / " in told
    assert told.count("app key") == told.count("app secret") == 2
    with urllib.request.urlopen(f"http://127.0.0.1:{demo.port}/", timeout=PATIENCE) as page:
        assert page.status == 200
    assert sorted(demo.pids()) == sorted(PROCESSES)


def test_nobody_else_may_reach_its_stores(demo):
    assert not demo.place.sockets.is_relative_to(demo.data)  # it would be too long
    for folder in (demo.place.folder, demo.place.sockets):
        assert folder.stat().st_mode & 0o077 == 0
    with demo.database() as database:
        assert database.execute("SHOW listen_addresses").fetchone() == ("",)
        assert database.execute("SHOW fsync").fetchone() == ("on",)


def test_commands_reach_its_stores(demo):
    status, told = demo.run("create_application", "Reached", "--json")
    assert status == 0, told
    assert json.loads(told)["application"]["name"] == "Reached"


def test_it_shows_the_product_at_work(demo):
    """Clients talk, one is refused, a delivery is replayed, and an import fills production."""
    with demo.database() as database:

        def found(query):
            return lambda: database.execute(query).fetchone()[0]

        assert eventually(found("SELECT count(*) > 2 FROM users_connection"))
        assert eventually(found("SELECT count(DISTINCT sender_id) > 1 FROM users_message"))
        assert eventually(
            found(
                "SELECT count(*) > 0 FROM applications_delivery AS lost"
                " JOIN applications_delivery AS again USING (message_id)"
                " WHERE lost.state = 'failed' AND again.state = 'delivered'"
            )
        )
        assert eventually(
            found("SELECT count(*) > 0 FROM users_place WHERE lease_until < now() + '1 hour'")
        )
        assert eventually(found("SELECT count(*) > 0 FROM applications_auditseal"))
        assert eventually(
            found("SELECT count(*) > 0 FROM transfers_importjob WHERE state IN ('running', 'done')")
        )
        assert eventually(found("SELECT count(*) > 3000 FROM users_appuser"))
    with Redis.from_url(valkey.url(demo.place)) as counted:

        def refused():
            hours = counted.scan_iter("rollcall:hour:*")
            return sum(int(counted.hget(hour, "connections_refused") or 0) for hour in hours)

        before = refused()
        assert eventually(lambda: refused() > before)


def test_whatever_is_killed_comes_back_and_nothing_acknowledged_is_lost(demo):
    with demo.database() as database:
        database.execute("CREATE TABLE IF NOT EXISTS acknowledged (process text)")
        database.execute("TRUNCATE acknowledged")
    supervisor = demo.process.pid
    for name in PROCESSES:
        before = demo.pids()[name]
        with demo.database() as database:
            database.execute("INSERT INTO acknowledged VALUES (%s)", [name])
        os.kill(before, signal.SIGKILL)
        assert eventually(lambda name=name, before=before: demo.pids()[name] not in (0, before)), (
            name
        )
        assert eventually(demo.ready), name
    assert demo.process.pid == supervisor
    assert demo.process.poll() is None
    with demo.database() as database:
        kept = database.execute("SELECT process FROM acknowledged").fetchall()
        swept = database.execute("SELECT max(ran_at) FROM moderation_sweeprun").fetchone()
    assert [name for (name,) in kept] == PROCESSES
    # Worker and beat have found broker and database again.
    with demo.database() as database:
        latest = "SELECT max(ran_at) FROM moderation_sweeprun"
        assert eventually(lambda: database.execute(latest).fetchone() > swept)
        # The demo's clients are back, at a gateway that has come since.
        online = "SELECT count(*) > 1 FROM users_connection JOIN users_gatewayprocess AS gateway"
        online += " ON gateway.id = gateway_id WHERE lease_until > now()"
        assert eventually(lambda: database.execute(online).fetchone() == (True,))


def test_killed_outright_it_starts_again_with_its_data_beside_its_orphans(demo):
    with demo.database() as database:
        before = database.execute("SELECT count(*) FROM users_appuser").fetchone()
    pids = demo.pids()
    for pid in guards(demo.process.pid, pids.values()):
        os.kill(pid, signal.SIGKILL)
    demo.process.kill()
    demo.process.communicate()
    told = demo.start()
    assert f"http://127.0.0.1:{demo.port}/" in told
    assert "Creating" not in told
    assert not any(map(alive, pids.values()))
    with demo.database() as database:
        assert database.execute("SELECT count(*) FROM users_appuser").fetchone() >= before


def guards(supervisor, others):
    if not Path("/proc/self").exists():
        return []
    stats = [path / "stat" for path in Path("/proc").iterdir() if path.name.isdigit()]
    found = []
    for stat in stats:
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == supervisor and int(stat.parent.name) not in others:
            found.append(int(stat.parent.name))
    assert found
    return found


def test_a_second_one_in_the_same_folder_is_refused_and_does_the_first_no_harm(demo):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    status, told = demo.run("demo", PORT=str(port))
    assert status == 1
    assert "already running in" in told
    assert "DATA_DIR=other" in told
    assert demo.ready()


def test_stores_of_two_folders_do_not_meet(demo, settings, tmp_path):
    settings.EMBEDDED_STORES = ["DATABASE_URL", "REDIS_URL"]
    settings.DATA_DIR, settings.STORES = tmp_path, stores.under(tmp_path)
    with Supervisor(folder=tmp_path, cleanup=settings.STORES.remove_sockets) as supervisor:
        for server in DemoCommand().start_stores(supervisor):
            server.wait_until_ready()
        with (
            psycopg.connect(postgres.url(settings.STORES)) as theirs,
            Redis.from_url(valkey.url(settings.STORES)) as their_redis,
            Redis.from_url(valkey.url(demo.place)) as our_redis,
        ):
            assert theirs.execute("SELECT to_regclass('users_appuser')").fetchone() == (None,)
            our_redis.set("ours", 1)
            assert their_redis.get("ours") is None


def test_a_taken_port_is_named_before_anything_starts(settings, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.DATA_DIR = tmp_path
        settings.HOST, settings.PORT = server.getsockname()
        with pytest.raises(CommandError, match=r"Address already in use\. Set PORT to another"):
            call_command("demo")


@pytest.mark.parametrize(
    ("unset", "started"),
    [
        (["DATABASE_URL", "REDIS_URL"], ["valkey", "postgres"]),
        (["DATABASE_URL"], ["postgres"]),
        (["REDIS_URL"], ["valkey"]),
        ([], []),
    ],
)
def test_only_stores_that_are_not_set_are_started(unset, started, settings, tmp_path):
    settings.EMBEDDED_STORES = unset
    settings.STORES = stores.under(tmp_path)
    with Supervisor(folder=tmp_path, cleanup=settings.STORES.remove_sockets) as supervisor:
        servers = DemoCommand().start_stores(supervisor)
        assert [server.name for server in servers] == list(supervisor.pids()) == started
        for server in servers:
            server.wait_until_ready()


def test_ctrl_c_ends_all_of_it_and_nothing_is_left_behind(demo):
    pids = demo.pids().values()
    assert "Stopping" in demo.stop()
    assert demo.process.returncode == 0
    assert not any(map(alive, pids))
    assert not demo.place.sockets.exists()
    assert not (demo.data / orphans.FILE).exists()


@pytest.mark.parametrize(
    "command", [("migrate",), ("create_application", "Nowhere"), ("shell", "-c", "pass")]
)
def test_while_it_does_not_run_commands_say_what_starts_it(command, tmp_path):
    status, told = Demo(tmp_path).run(*command)
    assert status == 1
    assert told.count("\n") == 1
    for word in ("`make demo`", "DATABASE_URL", "REDIS_URL"):
        assert word in told


def test_a_store_of_ones_own_that_does_not_answer_is_named(tmp_path):
    url = "postgres://rollcall@127.0.0.1:1/rollcall"
    status, told = Demo(tmp_path).run("migrate", DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:1")
    assert status == 1
    assert told.startswith("Cannot connect to DATABASE_URL: ")
    assert told.count("\n") == 1
