"""What the supervisor of this machine's processes has written down, for probes and pages."""

import json
import os

from django.conf import settings


def cannot_stay_up() -> list[str] | None:
    """The names of this machine's processes that die as often as their supervisor starts them; None
    where no supervisor runs.
    """
    try:
        found = json.loads(settings.PROCESSES_FILE.read_text())
        os.kill(found["supervisor"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # it runs, as somebody else
    return [each["name"] for each in found["processes"] if each["cannot_stay_up"]]
