"""Words in front of a command, for the program `setpriv`: end with the process that started it, and
run as somebody else. It is in util-linux, on every Debian; where it is missing, as on macOS, there
are no words.
"""

import os
import pwd
import signal
import subprocess
from functools import cache
from pathlib import Path


class NeedsSetpriv(Exception):
    """Root asked for a store of its own on a system without `setpriv`."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL refuses to run as root, and this system has no setpriv to run it as "
            "another user. Start Rollcall as an ordinary user, or set DATABASE_URL and REDIS_URL."
        )


@cache
def _is_here() -> bool:
    """Busybox has a program of that name that knows nothing of parents."""
    try:
        trial = subprocess.run(["setpriv", "--pdeathsig", "TERM", "true"], capture_output=True)
    except OSError:
        return False
    return trial.returncode == 0


def tied(number: signal.Signals) -> list[str]:
    """The command is sent this signal when the thread that started it ends, however that ends."""
    return ["setpriv", "--pdeathsig", number.name.removeprefix("SIG")] if _is_here() else []


def tied_as_owner(number: signal.Signals, owner: int) -> list[str]:
    """As `tied`; and where root starts it, as the user with the id `owner`, who may enter and write
    every folder as root may: the folders above a data folder are often closed to others.
    """
    if os.geteuid() != 0:
        return tied(number)
    if not _is_here():
        raise NeedsSetpriv
    capability = "+dac_override"
    return [
        *tied(number),
        f"--reuid={owner}",
        f"--regid={pwd.getpwuid(owner).pw_gid}",
        "--clear-groups",
        f"--inh-caps={capability}",
        f"--ambient-caps={capability}",
    ]


def owner_of(data: Path) -> int:
    """Who runs the store that keeps its files in `data`: ourselves, or where root asks the owner
    of the files; `nobody`, while there are none. PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return os.geteuid()
    owner = data.stat().st_uid if data.exists() else 0
    return owner or pwd.getpwnam("nobody").pw_uid
