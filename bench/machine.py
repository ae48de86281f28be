"""The machine and the database of a benchmark."""

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


def web_seconds() -> float:
    """CPU seconds that the web workers below this process have used."""
    parents, spent = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_web = (folder / "comm").read_text() == "web\n" or "rollcall.wsgi" in (
                folder / "cmdline"
            ).read_text()
            # After the name in parentheses, which may contain anything: state, parent, ...
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        process = int(folder.name)
        parents[process] = int(fields[1])
        if is_web:
            spent[process] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return sum(seconds for process, seconds in spent.items() if _is_ours(process, parents))


def _is_ours(process: int, parents: dict[int, int]) -> bool:
    while process in parents:
        process = parents[process]
        if process == os.getpid():
            return True
    return False


def refuse_database_in_use() -> None:
    """Create the tables. Raises `SystemExit` if there are applications."""
    call_command("migrate", verbosity=0)
    if Application.objects.exists():
        raise SystemExit("The database of DATABASE_URL is in use; use an empty one")
