"""The vendors' web SDKs, unchanged, in a page of another origin than the gateway's.

They come from npm, as `tests/sdks/package-lock.json` says, once for each change of that file.
"""

import fcntl
import functools
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).with_name("sdks")
LOCK = FOLDER / "package-lock.json"
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"


def install() -> None:
    """Skips the test where npm is missing or has no network."""
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # against other processes of the run
        if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
            return
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("the web SDKs come from npm, which this machine does not have")
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"npm cannot install the web SDKs: {done.stderr[-300:]}")
        INSTALLED.touch()


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def origin() -> Iterator[str]:
    """The address of a server that has `page.html` and the SDKs, and nothing else."""
    handler = functools.partial(_Files, directory=str(FOLDER))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
