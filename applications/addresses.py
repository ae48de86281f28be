"""Whose address a connection comes from: one answer for HTTP and for the gateway's WebSockets.

`X-Forwarded-For` is believed only as far as our own proxies wrote it (`TRUSTED_PROXIES`): what
stands further left, a caller can make up.
"""

import ipaddress
import re

# Some proxies write the port as well: `192.0.2.1:5678`, `[2001:db8::1]:5678`.
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>[\d.]+):\d+", re.ASCII)


def client_address(*, peer: str | None, forwarded_for: str, trusted_proxies: int) -> str | None:
    """The caller's IP address, without port or zone; None where it is not known.

    `peer` is the other end of the socket; `forwarded_for` the header's values, joined by commas.
    """
    if trusted_proxies:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        if len(hops) >= trusted_proxies and hops[-trusted_proxies]:
            return _parsed(hops[-trusted_proxies])
    return _parsed(peer or "")


def _parsed(text: str) -> str | None:
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"] or ""
    try:
        # A zone names an interface of one machine; PostgreSQL's `inet` has no room for it.
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
