"""What a comparison of the audit trail with its seals finds (`applications.audit_verification`)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext

from applications.models import AuditCut

MOST_FINDINGS = 1_000


class Fault(StrEnum):
    """What is wrong with a line, or with a seal."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    MOVED = "moved"
    BACKDATED = "backdated"
    SEAL_CHANGED = "seal changed"
    SEAL_REMOVED = "seal removed"
    SEAL_REPLACED = "seal replaced"
    KEY_UNKNOWN = "key unknown"
    CUT_FORGED = "statement forged"


@dataclass(frozen=True)
class Finding:
    """`line` and `seal` are None where the finding is about none. `other`: the line that said what
    a moved line says now. `environment_id` is that of the line; None also if it is not known.
    """

    fault: Fault
    line: int | None = None
    seal: int | None = None
    other: int | None = None
    environment_id: int | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        match self.fault:
            case Fault.CHANGED:
                return gettext("Line {line} was changed after it was sealed (seal {seal}).").format(
                    line=self.line, seal=self.seal
                )
            case Fault.REMOVED:
                return gettext("Line {line} was removed (seal {seal} holds it).").format(
                    line=self.line, seal=self.seal
                )
            case Fault.ADDED:
                return gettext("Line {line} was added later: no seal holds it.").format(
                    line=self.line
                )
            case Fault.MOVED:
                return gettext("Line {line} has what line {other} said when it was sealed.").format(
                    line=self.line, other=self.other
                )
            case Fault.BACKDATED:
                return gettext(
                    "Line {line} was added later: it says {at:%Y-%m-%d %H:%M} UTC, but seal "
                    "{seal} is the first that holds it."
                ).format(line=self.line, at=self.at, seal=self.seal)
            case Fault.SEAL_CHANGED:
                return gettext("Seal {seal} was changed, or was not made with our key.").format(
                    seal=self.seal
                )
            case Fault.SEAL_REMOVED:
                return gettext("Seal {seal} was removed.").format(seal=self.seal)
            case Fault.SEAL_REPLACED:
                return gettext("Seal {seal} is not the one that was sent away.").format(
                    seal=self.seal
                )
            case Fault.KEY_UNKNOWN:
                return gettext(
                    "Seal {seal} was made with a key that is not in ENCRYPTION_KEYS."
                ).format(seal=self.seal)
            case Fault.CUT_FORGED:
                return gettext(
                    "Statement {seal} of what was dropped by rule is not one that we made."
                ).format(seal=self.seal)


@dataclass
class Report:
    """What was compared. `findings` has at most `MOST_FINDINGS`; `faults` counts all. `dropped` is
    the last statement of what was dropped by rule, if there is one; `dropped_lines` is of all.
    `given_up` counts the copies of seals that a recorded restore has lost.
    """

    seals: int = 0
    lines: int = 0
    copies: int = 0
    given_up: int = 0
    dropped: AuditCut | None = None
    dropped_lines: int = 0
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.faults
