"""The web server of `manage.py serve`: WSGI, threads, and no thread for a client that is slow.

A thread takes a connection only when bytes have come, and runs the application only for a request
that has come whole. So a client that stops in the middle of a head, a body or an answer holds a
socket and some memory, but no thread, and only for the times in `rollcall.web.connection`.

`connection` reads requests and writes answers of one connection, `server` has the connections and
threads of a process, `__main__` the processes.
"""
