"""`python -m gateway`: separate gateway processes, on one port."""

from django.conf import settings

from gateway.app import application  # noqa: F401 - sets Django up
from gateway.server import serve

if __name__ == "__main__":
    serve(
        "gateway.app:application",
        host=settings.HOST,
        port=settings.GATEWAY_PORT,
        processes=settings.GATEWAY_PROCESSES,
    )
