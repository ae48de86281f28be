"""The state of this machine's processes, as their supervisor records it, for probes and pages."""

import json
import os

from django.conf import settings


def cannot_stay_up() -> list[str] | None:
    """Names of this machine's processes that die again and again; None if no supervisor runs."""
    try:
        found = json.loads(settings.PROCESSES_FILE.read_text())
        os.kill(found["supervisor"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # it runs as another user
    return [each["name"] for each in found["processes"] if each["cannot_stay_up"]]
