"""What every test can ask for.

Tests marked `postgres` race threads against each other: SQLite lets one writer in at a time and so
passes them without any lock. They run in the second half of `make test`. Tests that need a browser
run last and are skipped, with the reason in the closing lines, where there is no Chromium.
"""

import os
import shutil
import subprocess

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from playwright._impl._driver import compute_driver_executable

from tests import embedded_redis
from tests.lost import lose_database  # noqa: F401  # a fixture for all folders

# The same examples in every run, and no time limit for one: a busy machine breaks no law.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, database=None, max_examples=50
)
hypothesis.settings.load_profile("suite")

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",  # CI runs as root, for whom Chromium has no sandbox
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# After pytest-django has sorted by kind of database use.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("postgres") and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="runs on PostgreSQL alone: see `make test`"))
    # Playwright keeps an event loop in the main thread from the first browser test on.
    items.sort(key=lambda item: bool(item.get_closest_marker("browser")))


@pytest.fixture(scope="session")
def redis_url():
    """A real Redis: the run's own where it has one."""
    return settings.REDIS_URL or embedded_redis.start()


@pytest.fixture(scope="session")
def base_url():
    """None: tests name whole addresses. (pytest-playwright's own is deprecated in form.)"""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The machine's own Chromium, for pytest-playwright's `page`; `CHROMIUM` names another one."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.skip("no Chromium on this machine: install it, or set CHROMIUM to its path")
    driver = subprocess.run([compute_driver_executable()[0], "--version"], capture_output=True)
    if driver.returncode:
        pytest.skip(f"Playwright cannot run here: {driver.stderr.decode()}")
    # Django refuses the ORM beside a running event loop, and Playwright's never stops.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_FLAGS}
