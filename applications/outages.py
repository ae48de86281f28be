"""Whether an error means that the database is unavailable, and not that a query is wrong.

Doors answer the two differently: when the database is unavailable, the caller can retry.
"""

from django.db import InterfaceError, InternalError, OperationalError

# Classes of SQLSTATE: connection exceptions, insufficient resources for another connection.
_LOST_CLASSES = ("08", "53")
# The server is shutting down, has crashed, or is starting up; or it does not accept writes any
# more, because another one does.
_READ_ONLY = "25006"
_LOST_STATES = {"57P01", "57P02", "57P03", "57P05", _READ_ONLY}


def is_database_lost(error: BaseException | None) -> bool:
    """psycopg sets no SQLSTATE if no server answered: an exhausted pool, a closed connection.
    A deadlock or a cancelled query is an `OperationalError` too, but has a SQLSTATE.
    """
    state = getattr(error.__cause__, "sqlstate", None) if error is not None else None
    if isinstance(error, InternalError):
        return state == _READ_ONLY
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return state is None or state.startswith(_LOST_CLASSES) or state in _LOST_STATES
