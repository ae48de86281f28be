"""`/metrics`, for Prometheus. Closed unless a setting opens it: to whoever has `METRICS_TOKEN`, and
to the addresses in `METRICS_ADDRESSES`. To all others it is 404, as if it did not exist.
"""

from collections.abc import Iterator
from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import Metric, generate_latest

from applications.requests import client_address
from moderation import figures


class _Read:
    """What prometheus_client writes out: a registry that reads everything anew."""

    def collect(self) -> Iterator[Metric]:
        yield from figures.read(now=timezone.now())


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not is_allowed(request):
        return HttpResponseNotFound("Not found\n", content_type="text/plain; charset=utf-8")
    return HttpResponse(
        generate_latest(_Read()),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )


def is_allowed(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    # A proxy that TRUSTED_PROXIES does not count: the address is the proxy's, not the caller's.
    if "X-Forwarded-For" in request.headers and not settings.TRUSTED_PROXIES:
        return False
    address = client_address(request)
    if address is None:
        return False
    return any(ip_address(address) in network for network in settings.METRICS_ADDRESSES)
