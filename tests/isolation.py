"""Gives each test run a data folder of its own. Loaded by `addopts`, before settings are read.

Several runs may go on at once in one checkout; none touches `var/`, and nobody's `.env` decides
whether a test passes.
"""

import atexit
import os
import shutil
import tempfile

os.environ["ENV_FILE"] = os.devnull
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="rollcall-test-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
