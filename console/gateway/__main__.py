"""`python -m console.gateway`: gateway processes of their own, on one port."""

from django.conf import settings

from console.gateway.app import application  # noqa: F401 - sets Django up
from console.gateway.server import serve

if __name__ == "__main__":
    serve(
        "console.gateway.app:application",
        host=settings.HOST,
        port=settings.GATEWAY_PORT,
        processes=settings.GATEWAY_PROCESSES,
    )
