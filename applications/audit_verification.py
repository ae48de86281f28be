"""Compares the audit trail with its seals: which line was changed, removed, added or moved?

Invariants
----------
* Whatever a line says now, its seal decides: a line is as it was if, and only if, its hash is the
  one in its seal, and the seal is one that we made.
* A line that no seal holds is waiting if a transaction may still have been writing it when the last
  seal was made. Otherwise it was added behind our back.
* Memory does not grow with the number of lines: seals are compared one after the other.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from applications import audit_lines, audit_seals
from applications.audit_lines import HASH_BYTES, Line
from applications.audit_seals import LONGEST_VERB, Key
from applications.models import AuditEvent, AuditSeal

MOST_FINDINGS = 1_000
ADDED_AT_ONCE = 1_000


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
                return f"Line {self.line} was changed after it was sealed (seal {self.seal})."
            case Fault.REMOVED:
                return f"Line {self.line} was removed (seal {self.seal} holds it)."
            case Fault.ADDED:
                return f"Line {self.line} was added later: no seal holds it."
            case Fault.MOVED:
                return f"Line {self.line} has what line {self.other} said when it was sealed."
            case Fault.BACKDATED:
                return (
                    f"Line {self.line} was added later: it says {self.at:%Y-%m-%d %H:%M} UTC,"
                    f" but seal {self.seal} is the first that holds it."
                )
            case Fault.SEAL_CHANGED:
                return f"Seal {self.seal} was changed, or was not made with our key."
            case Fault.SEAL_REMOVED:
                return f"Seal {self.seal} was removed."
            case Fault.SEAL_REPLACED:
                return f"Seal {self.seal} is not the one that was sent away."
            case Fault.KEY_UNKNOWN:
                return f"Seal {self.seal} was made with a key that is not in ENCRYPTION_KEYS."


@dataclass
class Report:
    """What was compared. `findings` has at most `MOST_FINDINGS`; `faults` counts all."""

    seals: int = 0
    lines: int = 0
    copies: int = 0
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(
    *,
    numbers: range | None = None,
    copies: Iterable[Mapping[str, Any]] = (),
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Compare all seals, or those with these numbers, with the lines and with `copies` from
    elsewhere. `progress` is called after each seal.
    """
    comparison = _Comparison()
    for previous, seal in _with_previous(numbers):
        comparison.compare(seal, previous)
        progress(comparison.report)
    comparison.look_for_added(everywhere=numbers is None)
    comparison.look_at_copies(copies)
    return comparison.finished()


def _with_previous(numbers: range | None) -> Iterator[tuple[AuditSeal | None, AuditSeal]]:
    """Each seal with the one before it."""
    seals = AuditSeal.objects.order_by("number")
    previous = None
    if numbers is not None:
        seals = seals.filter(number__gte=numbers.start, number__lt=numbers.stop)
        previous = AuditSeal.objects.filter(number=numbers.start - 1).first()
    for seal in seals.iterator(chunk_size=100):
        yield previous, seal
        previous = seal


class _Comparison:
    """The state of one run of `verify`."""

    def __init__(self) -> None:
        self.report = Report()
        self._keys = {key.hint: key for key in audit_seals.seal_keys()}
        self._held: list[str] = []
        self._first_id, self._last_id = audit_lines.END, 0
        # Of lines that are not as they were: hash in the seal → line; and what they say now.
        self._lost: dict[bytes, int] = {}
        self._odd: list[tuple[Finding, str]] = []

    def compare(self, seal: AuditSeal, previous: AuditSeal | None) -> None:
        """The seal with the one before it, and its lines with their hashes."""
        self.report.seals += 1
        self._held.append(seal.ids)
        self._first_id = min(self._first_id, seal.first_id)
        self._last_id = max(self._last_id, seal.last_id)
        key = self._keys.get(seal.key_hint)
        if key is None:
            self._add(Finding(Fault.KEY_UNKNOWN, seal=seal.number))
            return
        if not is_ours(seal, key):
            self._add(Finding(Fault.SEAL_CHANGED, seal=seal.number))
            return
        before = previous.number if previous else 0
        if seal.number > before + 1:
            # Whether the lines in between are as they were, nobody can say any more.
            self._held.append(f"[{previous.through_id + 1 if previous else 1},{seal.first_id})")
            for number in range(before + 1, min(seal.number, before + 1 + MOST_FINDINGS)):
                self._add(Finding(Fault.SEAL_REMOVED, seal=number))
        elif previous is not None and seal.previous != previous.seal:
            self._add(Finding(Fault.SEAL_CHANGED, seal=previous.number))
        self._compare_lines(seal, key)

    def _compare_lines(self, seal: AuditSeal, key: Key) -> None:
        self.report.lines += seal.lines
        present = {line.id: line for line in audit_lines.held(seal.ids)}
        for id, expected in zip(audit_lines.ids_in(seal.ids), hashes(seal), strict=True):
            line = present.get(id)
            if line is None:
                self._lost[expected] = id
                self._add(Finding(Fault.REMOVED, line=id, seal=seal.number))
            elif line.hashed(key.secret) != expected:
                self._lost[expected] = id
                self._set_apart(Fault.CHANGED, line, seal)
            elif _is_backdated(line, seal):
                self._add(_about(Fault.BACKDATED, line, seal))

    def look_for_added(self, *, everywhere: bool) -> None:
        """Lines that no seal holds, among those that can wait for none any more."""
        last = AuditSeal.objects.order_by("-number").first()
        key = self._keys.get(last.key_hint) if last else None
        if last is None or key is None or not is_ours(last, key) or not self._held:
            return
        held = audit_lines.union(self._held)
        beyond, through = -audit_lines.END, last.settled_id
        if not everywhere:
            beyond, through = self._first_id - 1, min(self._last_id, through)
            if through <= beyond:
                return
            held = audit_lines.union([held, *audit_seals.ids_held(beyond, through)])
        while found := audit_lines.unheld(
            beyond=beyond, through=through, held=held, limit=ADDED_AT_ONCE
        ):
            beyond = found[-1].id
            for line in found:
                self._set_apart(Fault.ADDED, line)

    def look_at_copies(self, copies: Iterable[Mapping[str, Any]]) -> None:
        """Whether each seal that was sent away is still here."""
        rest = iter(copies)
        while batch := list(islice(rest, 1_000)):
            ours = AuditSeal.objects.filter(number__in=[copy["number"] for copy in batch])
            seals = dict(ours.values_list("number", "seal"))
            for copy in batch:
                self.report.copies += 1
                number = copy["number"]
                if number not in seals:
                    self._add(Finding(Fault.SEAL_REMOVED, seal=number))
                elif seals[number] != copy["seal"]:
                    self._add(Finding(Fault.SEAL_REPLACED, seal=number))

    def finished(self) -> Report:
        """The report, with lines that have changed places told from those that were changed."""
        for finding, content in self._odd:
            places = [
                other
                for key in self._keys.values()
                for other in [self._lost.get(audit_lines.hashed(content, key.secret))]
                if other is not None
            ]
            if places:
                finding = replace(finding, fault=Fault.MOVED, other=places[0])
            self._add(finding)
        self.report.findings.sort(key=lambda each: (each.line or 0, each.seal or 0))
        return self.report

    def _set_apart(self, fault: Fault, line: Line, seal: AuditSeal | None = None) -> None:
        finding = _about(fault, line, seal)
        if len(self._odd) < MOST_FINDINGS:
            self._odd.append((finding, line.content))
        else:
            self._add(finding)

    def _add(self, finding: Finding) -> None:
        if finding in self.report.findings:
            return
        self.report.faults += 1
        if len(self.report.findings) < MOST_FINDINGS:
            self.report.findings.append(finding)


def _is_backdated(line: Line, seal: AuditSeal) -> bool:
    return seal.settled_at is not None and line.at < seal.settled_at - LONGEST_VERB


def _about(fault: Fault, line: Line, seal: AuditSeal | None) -> Finding:
    number = seal.number if seal else None
    return Finding(fault, line=line.id, seal=number, environment_id=line.environment_id, at=line.at)


def is_ours(seal: AuditSeal, key: Key) -> bool:
    """Whether the seal is as we made it."""
    whole = len(seal.line_hashes) == HASH_BYTES * len(audit_lines.ids_in(seal.ids))
    return whole and hmac.compare_digest(audit_seals.mac(seal, key), seal.seal)


def hashes(seal: AuditSeal) -> list[bytes]:
    """The hashes of its lines, in the order of their ids."""
    found = bytes(seal.line_hashes)
    return [found[start : start + HASH_BYTES] for start in range(0, len(found), HASH_BYTES)]


@dataclass(frozen=True)
class Standing:
    """What the seals say of one line. `seal` is None while it waits for one."""

    seal: AuditSeal | None
    fault: Fault | None

    @property
    def words(self) -> str:
        """The fault for a label: "Changed", "Added later"."""
        later = self.fault in {Fault.ADDED, Fault.BACKDATED}
        return "Added later" if later else str(self.fault).capitalize()


def standing(event: AuditEvent) -> Standing:
    """Whether this line is sealed, and as it was then. Reads its seal and the line, no others."""
    seal = audit_seals.seal_of(event.pk)
    if seal is None:
        last = AuditSeal.objects.order_by("-number").only("settled_id").first()
        is_waiting = last is None or event.pk > last.settled_id
        return Standing(None, None if is_waiting else Fault.ADDED)
    key = next((key for key in audit_seals.seal_keys() if key.hint == seal.key_hint), None)
    if key is None:
        return Standing(seal, Fault.KEY_UNKNOWN)
    if not is_ours(seal, key):
        return Standing(seal, Fault.SEAL_CHANGED)
    expected = dict(zip(audit_lines.ids_in(seal.ids), hashes(seal), strict=True))[event.pk]
    [line] = audit_lines.held(audit_lines.multirange([event.pk]))
    if line.hashed(key.secret) != expected:
        return Standing(seal, Fault.CHANGED)
    return Standing(seal, Fault.BACKDATED if _is_backdated(line, seal) else None)
