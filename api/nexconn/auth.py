"""Authentication and rate limits."""

from api import signature
from api.ratelimit import Limits
from api.vendor import Caller, Request
from applications.vendors import Limit

LIMITS = Limits(
    default=Limit(100),
    by_call={
        "auth/access-token/issue": Limit(200),
        "user/soft-delete": Limit(100, of_users=True),
        "user/restore": Limit(100, of_users=True),
        "user/tag/batch/set": Limit(10),
        "friend/remove": Limit(100, of_users=True),
        "friend/relationship/get": Limit(100, of_users=True),
        "friend/permission/set": Limit(100, of_users=True),
        "friend/permission/get": Limit(100, of_users=True),
    },
)


def caller(request: Request) -> Caller:
    """Checks the signature and the rate limit, before the body is parsed."""
    known = signature.authenticate(request)
    LIMITS.count_call(known)
    return known
