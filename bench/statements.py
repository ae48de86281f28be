"""The statements of a call, for pgbench: what the database alone can do.

They are the statements that Django sends, in the same order, with BEGIN and COMMIT, and with the
same protocol. Values that differ between calls are variables of pgbench.
"""

import re
import subprocess
import tempfile

from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.conninfo import make_conninfo

from bench.calls import FRESH, Case

_LOCK = re.compile(r"(?<=pg_advisory_xact_lock\() ?-?\d+|(?<=unnest\('\{)-?\d+")
_UUID = re.compile(r"'[0-9a-f]{32}'::uuid")
_SHARD = re.compile(r"('\d{4}-\d\d-\d\d'::date), \d+, 1\b")
_BAN_ID = re.compile(r'("moderation_ban"\."id" IN) \(\d+\)')
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def captured(case: Case) -> list[str]:
    """The statements that the calls of the case send, after a warm-up."""
    number = case.sample + 1
    for call in case.calls:
        call.make(case.sample)
    with CaptureQueriesContext(connection) as queries:
        for call in case.calls:
            call.make(number)
    return [" ".join(query["sql"].split()) for query in queries.captured_queries]


def script(case: Case) -> str:
    """A transaction script for pgbench; "" if the calls send no statements."""
    low, high = case.numbers or (FRESH, 10 * FRESH - 1)
    lines = [
        rf"\set n random({low}, {high})",
        r"\set key random(1, 9223372036854775806)",
        r"\set shard random(0, 15)",
    ]
    statements = []
    for statement in captured(case):
        for pattern, variable in (
            (re.compile(str(case.sample + 1)), ":n"),
            (_LOCK, ":key"),
            (re.compile(";"), r" \\;"),  # several in one message
            (_UUID, "gen_random_uuid()"),
            (_SHARD, r"\1, :shard, 1"),
        ):
            statement = pattern.sub(variable, statement)
        if _BAN_ID.search(statement):
            # The statement before returns the id of the ban.
            statements[-1] = statements[-1].removesuffix(";") + r" \gset"
            statement = _BAN_ID.sub(r"\1 (:id)", statement)
        statements.append(statement + ";")
    if not statements:
        return ""
    return "\n".join([*lines, *statements]) + "\n"


def transactions_per_second(program: str, text: str, *, clients: int, seconds: float) -> float:
    """The rate that pgbench reaches. Raises `SystemExit` with its error if it fails."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    database = make_conninfo(**{name: parameters.get(name) for name in names})
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [
                *(program, "--no-vacuum", "--protocol=simple", f"--file={file.name}"),
                *(f"--client={clients}", f"--jobs={min(clients, 2)}"),
                f"--time={max(1, round(seconds))}",
                database,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    rate = _RATE.search(done.stdout)
    if done.returncode or rate is None:
        raise SystemExit(f"pgbench: {done.stderr}\n{text}")
    return float(rate[1])
