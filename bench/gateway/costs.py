"""What the gateways, PostgreSQL and this process have used."""

import os
import re
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, connections


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the gateways, of PostgreSQL and of the clients, and transactions; one for each
    statement.
    """

    gateways: float
    database: float
    clients: float
    statements: int

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(
            self.gateways - earlier.gateways,
            self.database - earlier.database,
            self.clients - earlier.clients,
            self.statements - earlier.statements,
        )

    def per(self, count: int) -> str:
        gateways, database, clients = (
            f"{seconds / count * 1_000:.2f}"
            for seconds in (self.gateways, self.database, self.clients)
        )
        return (
            f"CPU {gateways} ms + PostgreSQL {database} (clients {clients}), "
            f"{self.statements / count:.2f} statements each"
        )


class Costs:
    def __init__(self, pids: list[int]) -> None:
        self.pids = pids

    def spent(self) -> Cost:
        """So far. Takes a second. PostgreSQL's share is 0 if it runs on another machine."""
        clients = time.process_time()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "OR backend_type NOT IN ('client backend', 'postmaster')"
            )
            backends = [pid for (pid,) in cursor.fetchall()]
            gateways, database = _core_seconds(self.pids), _core_seconds(backends)
            # Each session reports its transactions with a delay of up to a second.
            cursor.execute("SELECT pg_sleep(1.1), pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            )
            [statements] = cursor.fetchone()
        connections.close_all()
        return Cost(gateways, database, clients, statements)

    def memory(self) -> int:
        """Bytes of the gateways, with a share of what processes share (PSS), without buffers of
        the kernel.
        """
        rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids)
        found = [re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE) for text in rollups]
        return sum(int(each[1]) * 1024 for each in found if each)


def _core_seconds(pids: list[int]) -> float:
    """CPU seconds that these processes have used."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            # After the name in parentheses, which may contain anything: state, parent, ...
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=1_000)
    named = {"p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "most": max(seconds)}
    return "  ".join(f"{name} {value * 1_000:.1f} ms" for name, value in named.items())
