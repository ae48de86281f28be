"""Secrets that an installation makes for itself when nobody has set them.

Each is one file under `DATA_DIR`, readable by its owner alone, written once whoever comes first:
web, worker and beat start side by side and must agree.
"""

import os
import secrets
import tempfile
from pathlib import Path


def own_secret(data_dir: Path, name: str, *, length: int = 64) -> str:
    """The secret called `name`; made on first use, of `length` URL-safe characters."""
    path = data_dir / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    # Written aside and linked into place: another process sees a whole secret or none, and only
    # one of two that start together wins.
    handle, draft = tempfile.mkstemp(dir=data_dir, prefix=f".{name}-")
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(length)[:length])
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    return path.read_text().strip()
