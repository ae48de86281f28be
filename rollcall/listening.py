"""Ports: whether one is free, and whether a page answers there."""

import http.client
import socket


def why_not_listen(host: str, port: int) -> str | None:
    """Why a server cannot listen there, or None."""
    if not 0 < port < 65536:
        return "no such port"
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind) as trial:
                # As servers do: ignore lingering connections of an earlier run.
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
    except OSError as error:
        return error.strerror
    return None


def first_page(host: str, port: int) -> int | None:
    """The status of the first page, redirects followed; None if no server answers."""
    path, status = "/", 0
    for _ in range(5):  # redirects to the sign-in page
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        status, path = response.status, response.getheader("Location", "")
        if not path.startswith("/"):
            break
    return status
