"""What was dropped from the oldest end of the audit trail, stated under our key.

A statement says which seals went, with their lines, and by which rule. So the trail that is left
still verifies from its first seal on, and what is missing without a statement is found out.

Invariants
----------
* Statements follow each other without a gap, each holds the one before, and the first seal that is
  left holds the last one that was dropped.
* A statement under our key is believed only if its rule can have held when it was made.
"""

import hmac
import json
from datetime import datetime
from itertools import pairwise

from applications import audit_seals, retention
from applications.audit_seals import Key
from applications.models import AuditCut

_PURPOSE = "audit cuts 1"


def keys() -> list[Key]:
    """The current key first, then the older ones."""
    return audit_seals.keys_for(_PURPOSE)


def mac(cut: AuditCut, key: Key) -> str:
    """The MAC over all other columns of the statement, in hex."""
    columns = (
        cut.number,
        cut.made_at.timestamp(),
        cut.first_seal,
        cut.last_seal,
        cut.lines,
        cut.sealed_until.timestamp(),
        cut.seal_before,
        cut.kept.total_seconds(),
        cut.key_hint,
        cut.previous,
    )
    return hmac.digest(key.secret, json.dumps(columns).encode(), "sha256").hex()


def latest() -> AuditCut | None:
    return AuditCut.objects.order_by("-number").first()


def forged() -> list[int]:
    """Numbers of the statements that we have not made, or not so."""
    known = {key.hint: key for key in keys()}
    cuts = list(AuditCut.objects.order_by("number"))
    wrong = {cut.number for cut in cuts if not _is_ours(cut, known.get(cut.key_hint))}
    if cuts and (cuts[0].number, cuts[0].first_seal, cuts[0].previous) != (1, 1, ""):
        wrong.add(cuts[0].number)
    for before, cut in pairwise(cuts):
        follows = (before.number + 1, before.last_seal + 1, before.mac)
        if (cut.number, cut.first_seal, cut.previous) != follows:
            wrong.add(cut.number)
    return sorted(wrong)


def _is_ours(cut: AuditCut, key: Key | None) -> bool:
    if key is None or not hmac.compare_digest(mac(cut, key), cut.mac):
        return False
    return retention.AUDIT.least <= cut.kept <= cut.made_at - cut.sealed_until


def covers(cut: AuditCut | None, number: int, *, sealed_at: datetime | None = None) -> bool:
    """Whether the statements up to this one say that the seal was dropped. `sealed_at`: when it was
    made, if a copy elsewhere says so.
    """
    if cut is None or number > cut.last_seal:
        return False
    return sealed_at is None or sealed_at <= cut.sealed_until
