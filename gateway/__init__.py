"""The gateway: WebSocket connections that chat clients hold open.

uvicorn accepts the sockets. `server` gives those at a protocol's path to `websocket`, without ASGI,
and answers other requests by `app`. Each process keeps its connections in memory (`registry`) and
writes each of them to the database, where the other processes, the API and the console see them.

Each wire protocol is a folder: `rollcall` is our own. `session` says what a protocol must give;
admission, kicks, floods, calls and delivery are the same for all.

Invariants
----------
* The event loop never waits for the database: all queries run in threads (`database`).
* Admission holds the user's lock from its checks until the connection's row is inserted, so no ban,
  deletion or sign-out can happen in between. Later ones ask the connection to close.
* Requests to close and messages to deliver are rows in tables. `users.bus` only makes them arrive
  sooner; `process` also polls, requests to close every second.
* A client cannot harm another: its frames are small, its calls are rate-limited, and a client that
  does not read is disconnected instead of buffered for.
"""
