"""Whether an error means that the database is away, and not that a query is wrong.

Doors answer both differently: a lost database is nobody's mistake, and trying again helps.
"""

from django.db import InterfaceError, OperationalError

# Classes of SQLSTATE: connection exceptions, and too few resources for one more connection.
_LOST_CLASSES = ("08", "53")
# The server shuts down, crashed, or is starting up.
_LOST_STATES = {"57P01", "57P02", "57P03", "57P05"}


def is_database_lost(error: BaseException | None) -> bool:
    """Psycopg names no SQLSTATE where no server answered: an exhausted pool, a closed connection.
    A deadlock or a cancelled query is an `OperationalError` too, with a state of its own.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_LOST_CLASSES) or state in _LOST_STATES
