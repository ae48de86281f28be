"""What a figure was measured on."""

import os
import platform
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from applications.models import Application


def machine() -> str:
    described = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].split("\n")[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return (
        f"{os.cpu_count()} cores ({described or platform.machine()}), {memory} GiB, "
        f"Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f}."
    )


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        [version] = cursor.fetchone()
        cursor.execute("SHOW fsync")
        [fsync] = cursor.fetchone()
    return f"PostgreSQL {version.split()[0]}, fsync {fsync}"


def refuse_database_in_use() -> None:
    """Make the tables. Raises `SystemExit` where there are applications."""
    call_command("migrate", verbosity=0)
    if Application.objects.exists():
        raise SystemExit("DATABASE_URL names a database in use; give an empty one")
