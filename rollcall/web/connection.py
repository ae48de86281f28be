"""One client's connection: requests in, answers out, and how long the client may take for each.

Invariants
----------
* One thread at a time has a connection; `server` takes care of it.
* httptools parses, and refuses what two servers could understand differently. A header with an
  underscore in its name is dropped, because WSGI cannot tell it from the same one with hyphens.
* Nothing waits for a client: what its socket does not take stays here until there is room. Only
  an answer of more than a megabyte has a thread until it is sent: those are staff's downloads.
"""

import select
import socket
import sys
import tempfile
import time
from collections import deque
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

Environ = dict[str, Any]

# Seconds. A body and an answer have one more for each `BYTES_A_SECOND` that have come through.
HEAD_WITHIN = 10.0
BODY_WITHIN = ANSWER_WITHIN = 20.0
BYTES_A_SECOND = 1_000
MOST_MORE = 300.0  # of a body: a file to import may be large
IDLE_WITHIN = 75.0  # between requests; proxies close idle connections after 60 s
LINGER = 2.0  # for the client to read the last answer
MAX_HEAD_BYTES = 32_768
IN_MEMORY = 65_536  # bytes of a body; what is longer waits in a file

_BASE: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_WITHOUT_PREFIX = {"CONTENT_TYPE", "CONTENT_LENGTH"}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Refused(Exception):
    """The client gets this status, and the connection ends."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class TooLarge(Exception):
    """The body is not read; the application refuses the request by its length."""


class Connection:
    """`max_body` is in bytes. `whole` has the requests that came whole, each as its environ, and
    whether the connection goes on after it.
    """

    def __init__(self, sock: socket.socket, peer: str, server: Environ, *, max_body: int) -> None:
        self.sock = sock
        self.touched = time.monotonic()  # when something came or went
        self.due = self.touched + HEAD_WITHIN  # not while the application works
        self.whole: deque[tuple[Environ, bool]] = deque()
        self._base = {**_BASE, **server, "REMOTE_ADDR": peer}
        self._max_body = max_body
        self._parser: Any = HttpRequestParser(self)
        self._environ: Environ = {}
        self._url = b""
        self.is_reading = False  # a part of a request has come
        self._head_bytes = 0  # of a head that is not complete
        self._body: IO[bytes] | None = None  # while one is read
        self._size, self._sent = 0, 0
        self._began = 0.0
        self.unsent = b""  # of answers, because the client does not read them
        self.is_working = self.is_streaming = False  # a thread has it; it sends a long answer
        self.ends = False  # once all is sent
        self.is_over = False  # all is sent; what still comes is thrown away

    def close(self) -> None:
        self.sock.close()
        if self._body is not None:
            self._body.close()
        self._parser = None  # it refers to this object

    # --- Requests ---

    def take(self, data: bytes) -> None:
        """Read bytes of the client. Raises `Refused`."""
        self._head_bytes += len(data)
        self.touched = time.monotonic()
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # the request is answered; what follows it is no HTTP
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, TooLarge):
                raise
        except HttpParserError as error:
            raise Refused(HTTPStatus.BAD_REQUEST) from error
        if self._body is not None:
            more = min(self._size / BYTES_A_SECOND, MOST_MORE)
            self.due = self._began + BODY_WITHIN + more
        elif self._head_bytes > MAX_HEAD_BYTES and not self.whole:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        self.is_reading = True
        self.due = time.monotonic() + HEAD_WITHIN
        self._environ, self._url = self._base.copy(), b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = _key(name)
        if key is None:
            return
        text = value.decode("latin-1")
        if key in self._environ:
            between = "; " if key == "HTTP_COOKIE" else ","
            text = f"{self._environ[key]}{between}{text}"
        self._environ[key] = text

    def on_headers_complete(self) -> None:
        environ, parser = self._environ, self._parser
        path, _, query = self._url.partition(b"?")
        if b"://" in path and not path.startswith(b"/"):  # http://host/path
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        environ["REQUEST_METHOD"] = parser.get_method().decode()
        environ["PATH_INFO"] = (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1")
        environ["QUERY_STRING"] = query.decode("latin-1")
        environ["SERVER_PROTOCOL"] = f"HTTP/{parser.get_http_version()}"
        self._body, self._size, self._head_bytes = BytesIO(), 0, 0
        self._began = time.monotonic()
        if int(environ.get("CONTENT_LENGTH") or 0) > self._max_body:
            self._complete(goes_on=False)
            raise TooLarge
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self.sock.send(_CONTINUE)

    def on_body(self, data: bytes) -> None:
        assert self._body is not None  # noqa: S101 - a body follows its head
        if self._size <= IN_MEMORY < self._size + len(data):
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the request
            file.write(self._body.getvalue())  # type: ignore[attr-defined]
            self._body = file
        self._size += len(data)
        self._body.write(data)
        if self._size > self._max_body:  # in chunks, so that nothing has told its length
            self._complete(goes_on=False)
            raise TooLarge

    def on_message_complete(self) -> None:
        parser = self._parser
        self._complete(goes_on=parser.should_keep_alive() and not parser.should_upgrade())

    def _complete(self, *, goes_on: bool) -> None:
        assert self._body is not None  # noqa: S101 - as above
        if self._size:
            self._environ["CONTENT_LENGTH"] = str(self._size)
            self._body.seek(0)
        self._environ["wsgi.input"], self._body = self._body, None
        self.whole.append((self._environ, goes_on))
        self.is_reading, self._head_bytes = False, 0

    # --- Answers ---

    def put(self, data: bytes) -> None:
        """Send what the socket takes, and keep the rest. Raises `OSError`."""
        self._began, self._sent = time.monotonic(), 0
        self.unsent += data
        self.put_rest()

    def wait_until_sent(self) -> None:
        """Raises `OSError` if the client does not read in time."""
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        while self.unsent:
            if not poll.poll(max(0.0, self.due - time.monotonic()) * 1000):
                raise TimeoutError
            self.put_rest()

    def put_rest(self) -> None:
        """Send further bytes of what is kept. Raises `OSError`."""
        try:
            sent = self.sock.send(self.unsent)
        except BlockingIOError:
            sent = 0
        self._sent += sent
        self.unsent = self.unsent[sent:]
        self.touched = time.monotonic()
        if self.unsent:
            self.due = self._began + ANSWER_WITHIN + self._sent / BYTES_A_SECOND
        elif self.ends:
            self._begin_end()
        else:
            self.due = self.touched + (HEAD_WITHIN if self.is_reading else IDLE_WITHIN)

    def _begin_end(self) -> None:
        """Wait for the client to close: closing first while it sends would lose the answer."""
        self.is_over, self.due = True, time.monotonic() + LINGER
        self.sock.shutdown(socket.SHUT_WR)


@lru_cache(maxsize=1024)
def _key(name: bytes) -> str | None:
    """The name of a header in an environ; None for one that is dropped."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _WITHOUT_PREFIX else f"HTTP_{key}"
