"""Moments as the vendors' protocols write them: milliseconds since 1970."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down, of a moment since then."""
    # Whole seconds first: a float is too coarse to round the rest down.
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def from_milliseconds(number: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=number)
