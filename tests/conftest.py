"""What every test can ask for, and what is done around each.

Tests that need a browser run last and are skipped, with the reason in the closing lines, where
there is no Chromium.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import time_machine
from django.test import TransactionTestCase
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import expect

from applications import callers
from tests import stores
from tests.factories import NOON, make_environment
from tests.lost import lose_database  # noqa: F401  # a fixture for all folders
from tests.waiting import PATIENCE

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


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers(config):
    """None where files are named one by one: those are done before other processes have started,
    and `--pdb` works. Else xdist's own answer: one for each core.
    """
    named = all(Path(argument.partition("::")[0]).is_file() for argument in config.args)
    return 0 if named else None


# After pytest-django has sorted by kind of database use.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    # Playwright keeps an event loop in the main thread from the first browser test on. The longest
    # tests come last: only the last few are given to the processes one at a time.
    items.sort(
        key=lambda item: (
            bool(item.get_closest_marker("browser")),
            item.path.name == "test_every_page.py",
        )
    )


@pytest.fixture(autouse=True)
def _strangers():
    """Tests take place at the same moment; what the last one remembered was rolled back."""
    callers.clear()


@pytest.fixture(scope="session", autouse=True)
def _quick_flush():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda self: stores.delete_all_rows()
        )
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The threads of a gateway in this process keep their connections, and a database in use cannot
    be dropped.
    """
    yield
    with django_db_blocker.unblock():
        stores.end_other_sessions()


@pytest.fixture
def at_noon():
    """What reads the clock reads `NOON`, until the test moves it."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def environment(db):
    """A development environment."""
    return make_environment()


@pytest.fixture
def local_webhooks(settings):
    """Webhooks may call this machine."""
    settings.WEBHOOKS_MAY_BE_LOCAL = True


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
    expect.set_options(timeout=PATIENCE * 1000)
    # Django refuses the ORM beside a running event loop, and Playwright's never stops.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_FLAGS}


@pytest.fixture
def context(context):
    """The browser context of pytest-playwright's `page`, as patient as everything else here."""
    context.set_default_timeout(PATIENCE * 1000)
    return context
