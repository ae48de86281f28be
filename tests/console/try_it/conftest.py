"""Console and gateway that run beside the test."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from django.conf import settings

from tests.stores import url_of_test_database
from tests.waiting import PATIENCE, eventually


def is_healthy(url):
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE):  # noqa: S310
            return True
    except urllib.error.URLError:
        return False


@pytest.fixture
def server(transactional_db):
    """Console and gateway on one port, in their own process, with the test's database."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "rollcall.asgi"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": url_of_test_database(),
            "HOST": "127.0.0.1",
            "PORT": str(port),
        },
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        assert eventually(lambda: is_healthy(url))
        yield url
    finally:
        process.terminate()
        process.wait()
