"""The gateway: WebSocket connections that chat clients hold open.

Plain ASGI. One process keeps its own connections in memory (`registry`) and writes each of them to
the database, where the other processes, the API and the console see them.

Invariants
----------
* The event loop never waits for the database: everything that asks it runs in threads (`database`).
* Admission holds the user's lock from its questions to the inserted row, so no ban, deletion or
  sign-out can fall between the two. What happens after that row asks it to close.
* What closes a connection or is to be delivered stands in a table. `users.bus` only brings it
  sooner, and `process` looks there every second.
* A client can do nothing to another: its frames are small, its calls are counted, and one that does
  not read is dropped instead of buffered for.
"""
