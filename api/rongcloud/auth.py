"""Authentication and rate limits."""

from api import signature
from api.ratelimit import Limits
from api.rongcloud import wire
from api.vendor import Caller, Request
from applications.vendors import Limit

LIMITS = Limits(
    default=Limit(100),
    by_call={
        "user/getToken": Limit(200),
        "user/deactivate": Limit(100, of_users=True),
        "user/reactivate": Limit(100, of_users=True),
        "user/tag/batch/set": Limit(10),
        "friend/delete": Limit(100, of_users=True),
        "friend/check": Limit(100, of_users=True),
        "friend/permission/set": Limit(100, of_users=True),
        "friend/permission/get": Limit(100, of_users=True),
    },
)


def caller(request: Request) -> Caller:
    """Checks the signature and the rate limit, before the body is parsed."""
    known = signature.authenticate(request)
    LIMITS.count_call(known)
    # Ninja reads the form from here. Parse it whatever its Content-Type.
    request.POST = wire.form(request.body)  # type: ignore[assignment]
    return known
