"""Gives each test run a data folder of its own. Loaded by `addopts`, before settings are read.

Several runs may go on at once in one checkout; none touches `var/`, and nobody's `.env` decides
whether a test passes. A run that is told to end (SIGTERM) still stops its servers and clears up.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile

os.environ["ENV_FILE"] = os.devnull
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="rollcall-test-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
