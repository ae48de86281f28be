"""Children that start with what this process has loaded, and share its memory until they write.

Only for Linux, and only while no other thread of this process runs Python: a fork does not copy
it, and locks that it holds would stay locked.
"""

import ctypes
import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import IO, TypeAlias

from django.db import connections

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # of <sys/prctl.h>
_fork = multiprocessing.get_context("fork")


def prepare(*modules: str) -> None:
    """Load what the forks share, and close what they must not share."""
    connections.close_all()
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()  # the collector would write to shared memory


class Fork:
    """Runs a Python module as `python -m` does; has what we use of `subprocess.Popen`.

    The child calls `first` before anything else, to close what only this process should hold.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        *,
        output: IO[bytes] | None,
        first: Callable[[], None],
    ) -> None:
        self._process = _fork.Process(target=_run, args=(name, words, output, first))
        # The child's signals wait until it has forgotten this process's handlers.
        waiting = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
        assert self._process.pid is not None  # noqa: S101 - it is started
        self.pid = self._process.pid
        # Here as well as in the child: whoever comes first, from now on its group can be signalled.
        with suppress(ProcessLookupError):
            os.setpgid(self.pid, self.pid)

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> None:
        self._process.join()


Running: TypeAlias = subprocess.Popen[bytes] | Fork


def _run(
    name: str, words: Sequence[str], output: IO[bytes] | None, first: Callable[[], None]
) -> None:
    os.setpgid(0, 0)
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    prctl(PR_SET_NAME, name.encode())
    first()
    if output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    sys.argv = [*words]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
