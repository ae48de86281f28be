"""The connections of this process, by user. Used on the event loop alone."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from console.gateway.admission import Admitted

if TYPE_CHECKING:
    from console.gateway.session import Session


class Registry:
    """Only admitted sessions are in it."""

    def __init__(self) -> None:
        self._by_user: dict[tuple[int, str], set[Session]] = {}
        self._by_connection: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._by_connection)

    def add(self, session: "Session", admitted: Admitted) -> None:
        user = (admitted.environment.pk, admitted.user_id)
        self._by_user.setdefault(user, set()).add(session)
        self._by_connection[admitted.connection.pk] = session

    def remove(self, session: "Session", admitted: Admitted) -> None:
        user = (admitted.environment.pk, admitted.user_id)
        sessions = self._by_user.get(user, set())
        sessions.discard(session)
        if not sessions:
            self._by_user.pop(user, None)
        self._by_connection.pop(admitted.connection.pk, None)

    def of_users(self, environment_id: int, user_ids: Iterable[str] | None) -> Iterator["Session"]:
        """The sessions of these users; None: of everybody in the environment."""
        if user_ids is None:
            users = [user for user in self._by_user if user[0] == environment_id]
        else:
            users = [(environment_id, user_id) for user_id in user_ids]
        for user in users:
            yield from tuple(self._by_user.get(user, ()))

    def of_connection(self, connection_id: int) -> "Session | None":
        return self._by_connection.get(connection_id)

    def all(self) -> list["Session"]:
        return list(self._by_connection.values())
