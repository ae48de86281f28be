"""Settings of a test run: the product's, on stores and in folders of the run's own.

Invariants
----------
* PostgreSQL and Valkey come from their wheels. The process that was started by hand starts them and
  stops them. `DATABASE_URL` or `REDIS_URL`, where set, is used instead.
* Where pytest-xdist splits a run, each process has a database (pytest-django makes it), a Redis
  database and a data folder of its own.
* Several runs may go on at once in one checkout; none touches `var/`, and nobody's `.env` decides
  whether a test passes.
* A run that is told to end (SIGTERM) still stops its servers and clears up.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from urllib.parse import urlsplit

from rollcall import stores


def redis_database(url: str, number: int) -> str:
    """The address of another database of the same server."""
    if url.startswith("unix:"):
        return f"{url.partition('?')[0]}?db={number}"
    return urlsplit(url)._replace(path=f"/{number}").geturl()


os.environ["ENV_FILE"] = os.devnull
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="rollcall-test-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
# "gw3" in the fourth process of a split run, which inherits the addresses of the stores.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    number = int(worker.removeprefix("gw"))
    os.environ["REDIS_URL"] = redis_database(os.environ["REDIS_URL"], number)
else:
    given = {name: url for name in ("DATABASE_URL", "REDIS_URL") if (url := os.environ.get(name))}
    started = stores.temporary(database="DATABASE_URL" not in given, redis="REDIS_URL" not in given)
    own = {"DATABASE_URL": started.database, "REDIS_URL": started.redis}
    os.environ.update({name: given.get(name) or own[name] or "" for name in own})
# Processes that a test starts have the product's settings: they are started as people start them.
os.environ["DJANGO_SETTINGS_MODULE"] = "rollcall.settings"

from rollcall.settings import *  # noqa: E402, F403

# Production's is slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Looked for when it is asked for; otherwise each test's first request would list all static files.
WHITENOISE_AUTOREFRESH = True
