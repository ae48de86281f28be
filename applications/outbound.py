"""Requests to URLs that customers enter.

Invariants
----------
* Only public addresses are called. The host name is resolved once, all its addresses must be
  public, and the connection goes to one of these checked addresses.
* A request ends within `DEADLINE`, however slowly the server answers, and reads `MOST_BYTES` at
  most, however much it sends: no body is read, no redirect followed.
"""

import http.client
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from threading import Timer
from typing import IO, Any
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext

CONNECT_TIMEOUT = 5.0  # seconds, for each address of a name
ADDRESSES_TRIED = 2
DEADLINE = 15.0  # seconds from the connection to the head of the response
MOST_BYTES = 65_536  # of all heads of the response, those of "100 Continue" included
_HOST = re.compile(r"[0-9a-z._:-]+", re.ASCII | re.IGNORECASE)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Before 3.12.4 Python's own tables do not cover all of it.
_PROTOCOL_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")


class Refused(Exception):
    """The URL is invalid or its address is not public; the text says why."""


class NoAnswer(Exception):
    """The request got no response; the text says why. The server may have received it."""


def check(url: str) -> None:
    """Raises `Refused` unless the URL is valid. Does not resolve its host name."""
    _parse(url)


def post(url: str, *, headers: Mapping[str, str], body: bytes) -> int:
    """POST the body; return the HTTP status. Raises `Refused`, `NoAnswer`."""
    parts = _parse(url)
    connection = _Connection(parts)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    target = f"{path}?{query}" if query else path
    try:
        connection.request("POST", target, body=body, headers=dict(headers))
        with connection.getresponse() as answer:
            return answer.status
    except (OSError, http.client.HTTPException) as failure:
        raise NoAnswer(_reason(failure, late=connection.is_late)) from failure
    finally:
        connection.close()


def _parse(url: str) -> SplitResult:
    if any(char <= " " or char == "\x7f" for char in url):
        raise Refused(gettext("An address cannot contain blanks."))
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except ValueError:
        raise Refused(gettext("This is not an address.")) from None
    schemes = ("https", "http") if settings.WEBHOOKS_MAY_BE_LOCAL else ("https",)
    if parts.scheme not in schemes:
        raise Refused(
            gettext("An address begins with {names}.").format(
                names=gettext(" or ").join(f"{each}://" for each in schemes)
            )
        )
    if parts.username is not None:
        raise Refused(
            gettext("An address cannot contain a username or password: logs would show them.")
        )
    if not _HOST.fullmatch(host) or port == 0:
        raise Refused(gettext("This is not an address."))
    return parts


class _Bounded:
    """What http.client reads a head from: a file, up to `MOST_BYTES` in all."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left = file, MOST_BYTES

    def readline(self, size: int = -1) -> bytes:
        line = self._file.readline(min(size, self._left) if size >= 0 else self._left)
        self._left -= len(line)
        if self._left <= 0:
            raise http.client.HTTPException("the head is too long")
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Answer(http.client.HTTPResponse):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fp = _Bounded(self.fp)  # type: ignore[assignment]


class _Connection(http.client.HTTPConnection):
    """A connection to a checked address, for `DEADLINE` at most."""

    response_class = _Answer

    def __init__(self, parts: SplitResult) -> None:
        self._is_secure = parts.scheme == "https"
        self.default_port = 443 if self._is_secure else 80  # the Host header leaves this one out
        host = (parts.hostname or "").encode("idna").decode()
        super().__init__(host, parts.port or self.default_port, timeout=DEADLINE)
        self._timer: Timer | None = None
        self.is_late = False

    def connect(self) -> None:
        plain = _connected(self.host, self.port)
        # A second handle on the connection, because TLS detaches the first one.
        self._handle = plain.dup()
        self._timer = Timer(DEADLINE, self._cut)
        self._timer.daemon = True
        self._timer.start()
        plain.settimeout(DEADLINE)
        self.sock = (
            _tls().wrap_socket(plain, server_hostname=self.host) if self._is_secure else plain
        )

    def _cut(self) -> None:
        self.is_late = True
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._handle.close()
            self._timer = None


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _connected(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not settings.WEBHOOKS_MAY_BE_LOCAL:
        # All of them: a name with both kinds would pass by chance.
        for *_, address in found:
            if not is_public(str(address[0])):
                raise Refused(f"{host} resolves to an address that is not public")
    failure: OSError | None = None
    for family, kind, protocol, _, address in found[:ADDRESSES_TRIED]:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(CONNECT_TIMEOUT)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure or OSError("the name has no address")


def is_public(address: str) -> bool:
    """Whether the address is reachable from the internet. IPv6 addresses that embed an IPv4 address
    (mapped, 6to4, Teredo, NAT64) are not public: a gateway may route them to our own network.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embeds = ip.sixtofour is not None or ip.teredo is not None
        return ip in _GLOBAL_UNICAST and ip.is_global and not embeds
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOL_ASSIGNMENTS


def _reason(failure: Exception, *, late: bool) -> str:
    if late or isinstance(failure, TimeoutError):
        return "No answer in time"
    if isinstance(failure, socket.gaierror):
        return "The host name is not known"
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"The certificate is not valid: {failure.verify_message}"
    if isinstance(failure, ssl.SSLError):
        return f"TLS failed: {failure.reason}"
    if isinstance(failure, ConnectionRefusedError):
        return "The connection was refused"
    if isinstance(failure, http.client.HTTPException | ConnectionError):
        return "The connection ended without an answer"
    return str(failure)
