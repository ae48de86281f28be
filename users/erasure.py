"""What else belongs to a user, and goes with them.

Storeys above keep things that belong to users (bans, lists). They must go in the same transaction
in which the user goes, and this storey must not know them: so it announces, and they listen.
"""

from collections import Counter
from datetime import datetime
from enum import Enum

from django.dispatch import Signal

from applications.models import Environment
from users import identity

# Sent inside the transaction, with environment, user_ids, occasion and now. A receiver erases what
# it keeps and answers with {what: how many rows}. If one fails, nothing happens at all.
erasing = Signal()

# What erasures queue at: no user id looks like that.
_ERASURE = "/erasure"


class Occasion(Enum):
    """Why the belongings go; decides how far a receiver must reach."""

    # The user was never there: nothing that names them stays.
    DELETION = "deletion"
    # The person's own data goes. What protects others from them stays (bans, entries in other
    # people's lists), or deactivation would be a way out.
    DEACTIVATION = "deactivation"


def erase_belongings(
    *, environment: Environment, user_ids: list[str], occasion: Occasion, now: datetime
) -> dict[str, int]:
    """What was erased: word → count, without zeros.

    One at a time in an environment, or people on each other's lists, erased side by side, would
    deadlock. Who erases in several environments goes through them in the order of their keys.
    """
    identity.lock(environment, [_ERASURE])
    erased: Counter[str] = Counter()
    for _, counts in erasing.send(
        sender=None, environment=environment, user_ids=user_ids, occasion=occasion, now=now
    ):
        erased.update(counts)
    return {word: number for word, number in erased.items() if number}
