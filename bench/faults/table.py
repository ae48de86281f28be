"""The table: a line for each fault, and what was found."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.faults.counts import Finding
from bench.faults.ledger import Ledger

KINDS = ("lost", "twice", "let in")
LINE = "{:<38}{:>13}{:>6}{:>7}{:>8}{:>6}{:>11}{:>14}"


class Episode(NamedTuple):
    """A fault, from its beginning to that of the next one."""

    name: str
    began: float
    ended: float
    well_after: float | None  # seconds since the fault was over; None if it did not become well
    wrong: str  # what was wrong last


def show(
    episodes: Sequence[Episode], ledger: Ledger, moments: list[float], found: list[Finding]
) -> None:
    print(
        "\n"
        + LINE.format(
            *("what was done", "acknowledged", *KINDS, "5xx", "no answer", "well after, s")
        )
    )
    for each in episodes:
        answers = [a.status for a in ledger.answers if each.began <= a.at < each.ended]
        counts = [
            sum(f.kind == kind and each.began <= f.at < each.ended for f in found) for kind in KINDS
        ]
        print(
            LINE.format(
                each.name,
                f"{sum(each.began <= at < each.ended for at in moments):,}",
                *counts,
                sum(status >= 500 for status in answers),
                sum(status == 0 for status in answers),
                "not" if each.well_after is None else f"{each.well_after:.1f}",
            )
        )
    totals = [sum(f.kind == kind for f in found) for kind in KINDS]
    statuses = [answer.status for answer in ledger.answers]
    print(
        LINE.format(
            "in all",
            f"{len(moments):,}",
            *totals,
            sum(status >= 500 for status in statuses),
            statuses.count(0),
            "",
        )
    )
    for each in episodes:
        if each.well_after is None:
            print(f"  {each.name}: not well, {each.wrong}")
    for finding in found[:20]:
        print(f"  {finding.kind}: {finding.what}")
