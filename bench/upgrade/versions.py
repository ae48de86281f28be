"""The two versions, and nginx in front of them."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from django.conf import settings

from bench.stores import free_port
from rollcall.listening import first_page

HOST = "127.0.0.1"
LOCK = "requirements-run.lock"


class Version:
    """A checkout with ports and a folder of its own."""

    def __init__(self, name: str, tree: Path, folder: Path) -> None:
        self.name, self._tree = name, tree
        self.port, self.gateway_port = free_port(), free_port()
        data = folder / name
        data.mkdir()
        own = tree / ".venv/bin/python"
        self._python = str(own) if tree != settings.BASE_DIR and own.exists() else sys.executable
        self._environment = os.environ | {
            "PORT": str(self.port),
            "GATEWAY_PORT": str(self.gateway_port),
            "DATA_DIR": str(data),
            "TRUSTED_PROXIES": "1",
            "API_RATE_LIMITS": "false",
            "GATEWAY_CONNECT_BURST": "10000",
            "LOG_LEVEL": "WARNING",
            "SECRET_KEY": "bench-" * 10,
            "ENCRYPTION_KEYS": "bench-0123456789-" * 3,
        }
        self._log = (data / "log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the supervisor. Only while it runs."""
        assert self._process is not None  # noqa: S101
        return self._process.pid

    def manage(self, *words: str) -> str:
        return subprocess.check_output(
            [self._python, "manage.py", *words],
            cwd=self._tree,
            env=self._environment,
            text=True,
            stderr=self._log,
        )

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._python, "manage.py", "serve"],
            cwd=self._tree,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        while any(first_page(HOST, port) is None for port in (self.port, self.gateway_port)):
            if self._process.poll() is not None:
                raise SystemExit(Path(self._log.name).read_text())
            time.sleep(0.1)

    def stop(self) -> float:
        """Seconds that it took; 0 if it does not run."""
        began = time.monotonic()
        if self._process is None:
            return 0.0
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        self._process = None
        return time.monotonic() - began

    def errors(self) -> dict[str, int]:
        """How often the log has which error."""
        lines = Path(self._log.name).read_text(errors="replace").splitlines()
        return Counter(line for line in lines if "ERROR" in line or "CRITICAL" in line)


def checkout(revision: str, tree: Path) -> Path:
    """The files of a revision, with a `.venv` of their own if they need other packages."""
    tree.mkdir()
    packed = tree / "tree.tar"
    git = ["git", "-C", str(settings.BASE_DIR), "archive", "-o", str(packed), revision]
    subprocess.run(git, check=True)
    shutil.unpack_archive(packed, tree, filter="data")
    if (tree / LOCK).read_bytes() != (settings.BASE_DIR / LOCK).read_bytes():
        subprocess.run(["make", "-s", ".venv/.run"], cwd=tree, check=True)
    return tree


class Proxy:
    """nginx in front of both, with the locations of `deploy/`."""

    def __init__(self, folder: Path, versions: list[Version]) -> None:
        self.port, self._folder, self._versions = free_port(), folder, versions
        self._configuration = folder / "nginx.conf"
        self._write(versions)
        path = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if path is None:
            raise SystemExit("nginx is not installed.")
        self._process = subprocess.Popen([path, "-p", folder, "-c", self._configuration])
        while first_page(HOST, self.port) is None:
            time.sleep(0.1)

    def send_only_to(self, version: Version) -> None:
        """From now on. What is open with another one goes on."""
        self._write([version])
        self._process.send_signal(signal.SIGHUP)
        # Workers with the former configuration take connections until they have heard of it.
        in_a_row = 0
        while in_a_row < 20:
            in_a_row = in_a_row + 1 if self._next_upstream() == version.port else 0

    def _next_upstream(self) -> int:
        """The port to which a request on a new connection goes."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.request("GET", "/healthz")
        upstream = connection.getresponse().headers["X-Upstream"]
        connection.close()
        return int(upstream.rpartition(":")[2])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _write(self, used: list[Version]) -> None:
        web, gateway = (
            " ".join(
                f"server {HOST}:{port} max_fails=0{'' if each in used else ' down'};"
                for each, port in ports
            )
            for ports in (
                [(each, each.port) for each in self._versions],
                [(each, each.gateway_port) for each in self._versions],
            )
        )
        locations = settings.BASE_DIR / "deploy/nginx/rollcall-locations.conf"
        temporary = "".join(
            f"{kind}_temp_path {self._folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self._configuration.write_text(f"""
            pid {self._folder}/pid; daemon off; {"user root;" if os.getuid() == 0 else ""}
            error_log {self._folder}/error.log; events {{ worker_connections 4096; }}
            http {{ access_log off; {temporary}
            upstream rollcall_web {{ {web} keepalive 32; keepalive_timeout 60s; }}
            upstream rollcall_gateway {{ {gateway} }}
            map $http_upgrade $rollcall_connection {{ default upgrade; '' ''; }}
            map $http_x_request_id $rollcall_request_id {{ default $http_x_request_id; }}
            server {{ listen {HOST}:{self.port}; add_header X-Upstream $upstream_addr always;
                      include {locations}; }} }}
        """)
