"""Since when a part has been failing: a file for each part in DATA_DIR, as old as the fault.

All web processes of the machine share it, and it outlives their restarts. Probes note a fault when
they see it first, so a fault is as old as the first probe after it began.
"""

import logging
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)


def since(part: str, wrong: str, *, now: datetime) -> datetime:
    """The part is failing; since when. `wrong` says what is wrong: the log has it, once."""
    file = _file(part)
    with suppress(OSError):  # no space on the disk: then it is only now
        file.parent.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            file.touch(exist_ok=False)
            log.error("%s", wrong)
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    log.error("%s", wrong)
    return now


def over(part: str) -> None:
    """The part works."""
    with suppress(OSError):
        _file(part).unlink()
        log.warning("over: %s", part)


def _file(part: str) -> Path:
    return Path(settings.DATA_DIR) / "faults" / part
