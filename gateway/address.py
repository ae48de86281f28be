"""Where clients open their WebSocket."""

from django.conf import settings
from django.http import HttpRequest

PATH = "/gateway"


def gateway_address(request: HttpRequest) -> str:
    """`GATEWAY_URL`; where that is not set, this host, for the demo serves both on one port."""
    if settings.GATEWAY_URL:
        return str(settings.GATEWAY_URL)
    return request.build_absolute_uri(PATH).replace("http", "ws", 1)
