"""The connections and threads of one web process.

Each thread waits for the next event of any connection and handles it: it reads, and if that makes
a request whole, it runs the application and answers. So a call costs one wake-up, and no thread
hands it to another.

Invariants
----------
* The kernel gives an event of a connection to one thread (`EPOLLONESHOT`), and the next one only
  after that thread has asked for it.
* Only `end_late` ends a connection that another thread may have, and only by shutting its socket
  down: the thread that gets the event closes it.
"""

import errno
import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

from rollcall.web.connection import Connection, Environ, Refused

log = logging.getLogger(__name__)

Application = Callable[..., Iterable[bytes]]
AT_ONCE = 65_536  # bytes to read
LONG = 1_048_576  # bytes of an answer from which on it is sent in parts
QUIET = 2.0  # seconds after which a connection may be closed when the process ends
_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_READ = select.EPOLLIN | select.EPOLLONESHOT
_WRITE = select.EPOLLOUT | select.EPOLLONESHOT


class Answer(NamedTuple):
    status: str
    headers: list[tuple[str, str]]
    body: bytes


class Server:
    """Serves a WSGI application on a listening socket."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        *,
        threads: int,
        max_body: int,
        max_connections: int,
    ) -> None:
        self._application, self._listener = application, listener
        self._max_body, self._max_connections = max_body, max_connections
        host, port = listener.getsockname()[:2]
        self._facts: Environ = {"SERVER_NAME": host, "SERVER_PORT": str(port)}
        self._connections: dict[int, Connection] = {}
        self._epoll = select.epoll()
        self._wakes, self._wake = os.pipe()
        self._is_ending = self._is_over = self._is_full = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        self._listener.setblocking(False)
        self._epoll.register(self._listener, select.EPOLLIN)
        for thread in self._threads:
            thread.start()

    def end_late(self) -> None:
        """End the connections whose time is over. Call it each second."""
        if self._is_full and not self._is_ending:
            self._is_full = False
            self._epoll.modify(self._listener, select.EPOLLIN)
        now = time.monotonic()
        for connection in self._waiting():
            if connection.due < now:
                with suppress(OSError):
                    if connection.is_reading:
                        late = _plain(HTTPStatus.REQUEST_TIMEOUT)
                        connection.sock.send(_encoded(late, {}, ends=True))
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _waiting(self) -> list[Connection]:
        """Those that wait for their client."""
        return [each for each in list(self._connections.values()) if not each.is_working]

    def stop(self, *, within: float) -> None:
        """Take no more connections; answer what still comes on the others, for as long as something
        comes or is being answered, but at most for `within` seconds.
        """
        self._is_ending = True
        self._epoll.unregister(self._listener)
        while self._accept():
            pass
        # Other processes have copies of the socket: closing this one would not end it, and whoever
        # connects would wait for nobody.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        deadline = time.monotonic() + within
        while any(map(_is_active, list(self._connections.values()))):
            if time.monotonic() > deadline:
                break
            self.end_late()
            time.sleep(0.05)
        self._is_over = True
        self._epoll.register(self._wakes, select.EPOLLIN)
        os.write(self._wake, b"x")  # nobody reads it, so that each thread wakes up
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        for connection in self._connections.values():
            connection.close()
        self._epoll.close()
        os.close(self._wakes)
        os.close(self._wake)

    def _work(self) -> None:
        listener = self._listener.fileno()
        while not self._is_over:
            for fd, _ in self._epoll.poll(-1, 1):
                if fd == listener:
                    self._accept()
                elif (connection := self._connections.get(fd)) is not None:
                    self._handle(connection)

    def _accept(self) -> bool:
        try:
            sock, address = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._rest()
            return False  # or another thread was quicker, or the client has gone
        if len(self._connections) >= self._max_connections:
            self._make_room()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, address[0], self._facts, max_body=self._max_body)
        self._connections[sock.fileno()] = connection
        self._epoll.register(sock, _READ)
        return True

    def _rest(self) -> None:
        """No file is left. Accept nobody until `end_late`: the threads would do nothing but try."""
        self._is_full = True
        with suppress(OSError):
            self._epoll.modify(self._listener, 0)
        self._make_room()

    def _make_room(self) -> None:
        """End the connection that would be ended first anyway."""
        if waiting := self._waiting():
            with suppress(OSError):
                min(waiting, key=lambda each: each.due).sock.shutdown(socket.SHUT_RDWR)

    def _handle(self, connection: Connection) -> None:
        connection.is_working = True
        try:
            goes_on = self._go_on(connection)
        except OSError:  # the client has gone
            goes_on = False
        except Exception:
            log.exception("a connection failed")
            goes_on = False
        connection.is_working = False
        if goes_on:
            self._epoll.modify(connection.sock, _WRITE if connection.unsent else _READ)
        else:
            del self._connections[connection.sock.fileno()]
            connection.close()

    def _go_on(self, connection: Connection) -> bool:
        """Read and answer, or go on sending; False if the connection is over."""
        if connection.unsent:
            connection.put_rest()
        else:
            data = connection.sock.recv(AT_ONCE)
            if not data:
                return False
            if connection.is_over:
                return True
            try:
                connection.take(data)
            except Refused as refused:
                connection.ends = True
                connection.put(_encoded(_plain(refused.status), {}, ends=True))
        while connection.whole and not (connection.unsent or connection.ends):
            environ, goes_on = connection.whole.popleft()
            answer = self._answer(connection, environ)
            if answer is not None:
                connection.ends = self._is_ending or not goes_on
                connection.put(_encoded(answer, environ, ends=connection.ends))
        return True

    def _answer(self, connection: Connection, environ: Environ) -> Answer | None:
        """What the application answers; None if it was long, and has been sent in parts."""
        told: list[Any] = []

        def start_response(*arguments: Any) -> None:
            told[:] = arguments

        try:
            found = self._application(environ, start_response)
            try:
                parts = iter(found)
                body = _first(parts)
                if len(body) < LONG:
                    return Answer(told[0], told[1], body)
                self._stream(connection, environ, Answer(told[0], told[1], body), parts)
                return None
            finally:
                if close := getattr(found, "close", None):
                    close()
        except OSError:
            raise
        except Exception:
            if connection.is_streaming:
                raise  # the client notices that the last chunk is missing
            log.exception("the application failed")
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        finally:
            environ["wsgi.input"].close()

    def _stream(
        self, connection: Connection, environ: Environ, answer: Answer, parts: Iterator[bytes]
    ) -> None:
        """Send a long answer as fast as the client reads. The connection ends after it. Raises
        `OSError`, also if the client is too slow.
        """
        connection.is_streaming = True
        names = {name.lower() for name, _ in answer.headers}
        in_chunks = environ["SERVER_PROTOCOL"] == "HTTP/1.1" and "content-length" not in names
        kind = [("Transfer-Encoding", "chunked")] if in_chunks else []
        head = answer._replace(headers=[*answer.headers, *kind], body=b"")
        connection.put(_encoded(head, environ, ends=True))
        if environ["REQUEST_METHOD"] != "HEAD":
            for part in chain([answer.body], parts):
                connection.wait_until_sent()
                if part:
                    connection.put(b"%x\r\n%b\r\n" % (len(part), part) if in_chunks else part)
        connection.ends = True
        connection.put(b"0\r\n\r\n" if in_chunks else b"")


def _first(parts: Iterator[bytes]) -> bytes:
    """The first parts, up to about `LONG` bytes."""
    found: list[bytes] = []
    size = 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size >= LONG:
            break
    return b"".join(found)


def _is_active(connection: Connection) -> bool:
    """Whether it is being answered, or something has come or gone lately."""
    is_quiet = time.monotonic() - connection.touched > QUIET
    return connection.is_working or connection.unsent != b"" or not is_quiet


def _plain(status: HTTPStatus) -> Answer:
    text = f"{status.phrase}.\n".encode()
    return Answer(f"{status.value} {status.phrase}", [("Content-Type", "text/plain")], text)


def _encoded(answer: Answer, environ: Environ, *, ends: bool) -> bytes:
    """`environ` is that of the request; empty if it was none."""
    lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {text}" for name, text in answer.headers)]
    names = {name.lower() for name, _ in answer.headers}
    has_length = bool(names & {"content-length", "transfer-encoding"})
    if not (has_length or answer.status.startswith(("1", "204", "304"))):
        lines.append(f"Content-Length: {len(answer.body)}")
    if "date" not in names:
        lines.append(_date(int(time.time())))
    if ends:
        lines.append("Connection: close")
    elif environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        lines.append("Connection: keep-alive")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1:
        raise ValueError("a header contains a line break")
    has_body = environ.get("REQUEST_METHOD") != "HEAD"
    return head.encode("latin-1") + b"\r\n\r\n" + (answer.body if has_body else b"")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}"
