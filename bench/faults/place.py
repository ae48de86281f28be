"""Where a run has its files, and the variables of its processes. Import it before Django loads its
settings.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from bench.stores import free_port
from rollcall.stores import postgres, valkey
from rollcall.stores.places import Place

FOLDER = Path(tempfile.mkdtemp(prefix="rollcall-faults-"))
STORES = Place(FOLDER / "stores")
PRODUCT = FOLDER / "product"  # its DATA_DIR
HOST, PORT, GATEWAY_PORT = "127.0.0.1", free_port(), free_port()


def prepare() -> None:
    """Set the variables, of this process as of those of the product."""
    if not os.environ.get("KEEP"):
        atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
    atexit.register(STORES.remove_sockets)
    STORES.prepare()
    PRODUCT.mkdir()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "rollcall.settings",
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(PRODUCT),
        "DATABASE_URL": postgres.url(STORES),
        "REDIS_URL": valkey.url(STORES),
        "SECRET_KEY": "faults-" * 10,
        "ENCRYPTION_KEYS": "faults-0123456789-" * 3,
        "API_RATE_LIMITS": "false",
        "GATEWAY_CONNECT_BURST": "100000",
        "HOST": HOST,
        "PORT": str(PORT),
        "GATEWAY_PORT": str(GATEWAY_PORT),
        "LOG_LEVEL": "WARNING",
        # The machine is shared with the load: fewer threads than a server of its own would have.
        "WEB_WORKERS": "2",
    }
