"""Django's PostgreSQL backend, which detects useless connections without a round trip.

Django can only check a connection with an empty query, a round trip for every call. But a server
that ends a connection closes its socket, and the kernel knows this at once.

Invariants
----------
* A thread that keeps its connection does not go on with one that the server has closed. A host that
  vanished closes nothing; the keepalives of `DATABASES` detect it.
* Nor does it go on, after an error, with a server that has become read-only, if it needs one that
  accepts writes: another server does by now, or soon.
"""

import select

from django.db import Error
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Check the socket; a round trip only after an error, or if there is something to read: for
        an idle connection that is the end of a closed socket, or rarely a notice.
        """
        if not (self.connection is None or self.connection.closed or self.errors_occurred):
            socket = select.poll()
            socket.register(self.connection.fileno(), select.POLLIN)
            if not socket.poll(0):
                return True
        if not super().is_usable():
            return False
        wanted = self.settings_dict["OPTIONS"].get("target_session_attrs")
        return wanted != "read-write" or not self._is_read_only()

    def _is_read_only(self) -> bool:
        try:
            with self.wrap_database_errors:
                row = self.connection.execute("SHOW transaction_read_only").fetchone()
        except Error:
            return True
        return bool(row == ("on",))
