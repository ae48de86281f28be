"""The header with which an app server registers a test user for a limited time. It is the same in
every vendor's calls, and none of a vendor's own: SDKs that let their users add headers can send it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from users.leases import LONGEST, InvalidLease

if TYPE_CHECKING:
    from api.vendor import Call

HEADER = "Rollcall-Lease"
META_KEY = "HTTP_ROLLCALL_LEASE"


def requested(call: "Call") -> timedelta | None:
    """The lease that the caller asks for; None without the header. Raises `InvalidLease`."""
    text = call.lease
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        raise InvalidLease
    return min(timedelta(seconds=int(text)), LONGEST + timedelta(seconds=1))
