"""Waiting for what other threads and processes do.

A test waits for what it needs, never for a time. The ends are only there so that a failing test
ends; they are far enough for a busy machine.
"""

import time
from collections.abc import Callable

PATIENCE = 120  # seconds


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether `condition` comes true before the end."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
