"""A person sees where they are signed in, and ends it."""

from datetime import datetime
from typing import Any

from applications.models import StaffSession


def end(*, account: Any, session_key: str) -> bool:
    """End one session of the account, by the hash of its key. False if it is over already."""
    ended, _ = StaffSession.objects.filter(account=account, session_key=session_key).delete()
    return bool(ended)


def end_others(*, account: Any, current: str) -> int:
    """End all sessions of the account but the one with this hash of a key. Returns how many."""
    ended, _ = StaffSession.objects.filter(account=account).exclude(session_key=current).delete()
    return ended


def forget_ended(*, now: datetime) -> int:
    """Delete the sessions that have expired. Returns how many."""
    deleted, _ = StaffSession.objects.filter(expire_date__lte=now).delete()
    return deleted
