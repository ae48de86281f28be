"""PgBouncer in transaction mode: a session belongs to a client for one transaction only."""

import os
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection

from rollcall.setpriv import owner_of, tied_as_owner
from tests.serving import HOST, free_port
from tests.waiting import eventually
from users.models import AppUser

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed"),
    pytest.mark.django_db(transaction=True),
]
SESSIONS = 3


@pytest.fixture
def pooled_url(tmp_path):
    """The test's database through PgBouncer, which has fewer sessions than `serve` has threads."""
    server = connection.get_connection_params()
    known = {name: server[name] for name in ("host", "port", "user", "password") if name in server}
    database, port = connection.settings_dict["NAME"], free_port()
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = {' '.join(f'{name}={value}' for name, value in known.items())}\n"
        f"[pgbouncer]\npool_mode = transaction\ndefault_pool_size = {SESSIONS}\n"
        f"listen_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
    )
    command = [PGBOUNCER, "-q", str(configuration)]
    prefix = tied_as_owner(signal.SIGTERM, owner_of(tmp_path))  # it refuses to run as root
    process = subprocess.Popen([*prefix, *command])
    url = f"postgres://{known['user']}@{HOST}:{port}/{database}"

    def answers():
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True

    assert eventually(answers)
    yield url
    process.terminate()
    process.wait()


def test_calls_chat_sweeps_and_commands_share_its_few_sessions(serve, pooled_url):
    serving = serve(DATABASE_URL=pooled_url, DB_PREPARED_STATEMENTS="false")
    with ThreadPoolExecutor(8) as threads:
        names = [f"user-{number}" for number in range(80)]
        tokens = list(threads.map(serving.register, names))
    assert AppUser.objects.filter(user_id__in=names).count() == len(names)
    [ann, ben] = map(serving.connect, tokens[:2])
    sent = ann.send("user-1")
    assert ben.event()["message_id"] == sent["message_id"]
    assert ben.call("blocklist.add", user_ids=["user-7"])["ok"]
    assert serving.ban("user-0")
    assert ann.closed() == (4010, "banned")
    serving.manage("verify_audit")
    assert eventually(serving.is_ready), serving.readiness()
