"""The sessions of this process, by user and by connection. Not thread-safe: for the event loop."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.calls import Client
    from gateway.session import Session


class Registry:
    """Contains admitted sessions only."""

    def __init__(self) -> None:
        # Tuples: most users have one connection, and a set of one needs four times the memory.
        self._by_user: dict[tuple[int, str], tuple[Session, ...]] = {}
        self._by_connection: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._by_connection)

    def add(self, session: "Session", client: "Client") -> None:
        user = (client.environment.pk, client.user_id)
        self._by_user[user] = (*self._by_user.get(user, ()), session)
        self._by_connection[client.connection_id] = session

    def remove(self, session: "Session", client: "Client") -> None:
        user = (client.environment.pk, client.user_id)
        others = tuple(each for each in self._by_user.get(user, ()) if each is not session)
        if others:
            self._by_user[user] = others
        else:
            self._by_user.pop(user, None)
        self._by_connection.pop(client.connection_id, None)

    def for_users(self, environment_id: int, user_ids: Iterable[str]) -> "Iterator[Session]":
        for user_id in user_ids:
            yield from self._by_user.get((environment_id, user_id), ())

    def for_connections(self, keys: Iterable[int]) -> "Iterator[Session]":
        for key in keys:
            if session := self._by_connection.get(key):
                yield session

    def all(self) -> "list[Session]":
        return list(self._by_connection.values())
