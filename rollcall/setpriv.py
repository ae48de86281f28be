"""Prefixes of a command, for the program `setpriv`: end with the parent process, and run as another
user. It is in util-linux, on every Debian; if it is missing, as on macOS, the prefix is empty.
"""

import os
import pwd
import signal
import subprocess
from functools import cache
from pathlib import Path


class NeedsSetpriv(Exception):
    """Root starts a store on a system without `setpriv`."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL refuses to run as root, and this system has no setpriv to run it as "
            "another user. Start Rollcall as an ordinary user, or set DATABASE_URL and REDIS_URL."
        )


@cache
def _is_here() -> bool:
    """Whether `setpriv` has `--pdeathsig`; Busybox's does not."""
    try:
        trial = subprocess.run(["setpriv", "--pdeathsig", "TERM", "true"], capture_output=True)
    except OSError:
        return False
    return trial.returncode == 0


def tied(number: signal.Signals) -> list[str]:
    """Prefix: send the command this signal when the thread that started it ends, in any way."""
    return ["setpriv", "--pdeathsig", number.name.removeprefix("SIG")] if _is_here() else []


def tied_as_owner(number: signal.Signals, owner: int) -> list[str]:
    """As `tied`; if root starts it, it runs as the user id `owner`, but may access every folder
    like root: the folders above a data folder are often closed to others. Raises `NeedsSetpriv`.
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
        # Without it access(2), with which PostgreSQL finds its own program, ignores the capability.
        "--securebits=+no_setuid_fixup",
    ]


def owner_of(data: Path) -> int:
    """The user id that runs the store with files in `data`: our own; for root, the owner of the
    files, or `nobody` if there are none. PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return os.geteuid()
    owner = data.stat().st_uid if data.exists() else 0
    return owner or pwd.getpwnam("nobody").pw_uid
