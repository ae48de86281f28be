"""Django's PostgreSQL backend, which detects dead connections without a round trip.

Django can only check a connection with an empty query, a round trip for every call. But a server
that ends a connection closes its socket, and the kernel knows this at once.

Invariant: a thread that keeps its connection does not go on with one that the server has closed. A
host that vanished closes nothing; the keepalives of `DATABASES` detect it.
"""

import select

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
        return bool(super().is_usable())
