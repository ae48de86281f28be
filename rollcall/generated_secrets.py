"""Secrets that an installation generates if they are not set.

Each is one file under `DATA_DIR` that only its owner can read. The first process writes it: web,
worker and beat start at the same time and must agree.
"""

import os
import secrets
import tempfile
from pathlib import Path


def generated_secret(data_dir: Path, name: str, *, length: int = 64) -> str:
    """The secret called `name`: `length` URL-safe characters, generated on first use."""
    path = data_dir / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    # A temporary file is linked into place: another process sees a complete secret or none, and of
    # two that start together only one succeeds.
    handle, temporary = tempfile.mkstemp(dir=data_dir, prefix=f".{name}-")
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(length)[:length])
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    return path.read_text().strip()
