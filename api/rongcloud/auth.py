"""Who calls, and how often they may."""

from api import signature
from api.ratelimit import Limits
from api.rongcloud import wire
from api.vendor import Caller, Request
from applications.vendors import Limit

LIMITS = Limits(
    common=Limit(100),
    special={
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
    """The signed caller, within the rate; only then is the body looked at."""
    known = signature.authenticate(request)
    LIMITS.count_call(known)
    # A form whatever its Content-Type; Ninja reads it from here.
    request.POST = wire.form(request.body)  # type: ignore[assignment]
    return known
