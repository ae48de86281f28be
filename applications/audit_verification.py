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
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db.models import Sum

from applications import audit_cuts, audit_lines, audit_seals
from applications.audit_findings import MOST_FINDINGS, Fault, Finding, Report
from applications.audit_lines import HASH_BYTES, Line
from applications.audit_seals import LONGEST_VERB, Key
from applications.models import AuditCut, AuditEvent, AuditSeal

ADDED_AT_ONCE = 1_000


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
        self._look_at_cuts()

    def _look_at_cuts(self) -> None:
        for number in audit_cuts.forged():
            self._add(Finding(Fault.CUT_FORGED, seal=number))
        # If one is forged, what it says was dropped is missing.
        self._cut = None if self.report.faults else audit_cuts.latest()
        self.report.dropped = self._cut
        if self._cut is not None:
            total = AuditCut.objects.aggregate(lines=Sum("lines"))["lines"]
            self.report.dropped_lines = total

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
        before, expected = 0, ""
        if previous is not None:
            before, expected = previous.number, previous.seal
        elif self._cut is not None:
            before, expected = self._cut.last_seal, self._cut.seal_before
        if seal.number > before + 1:
            # Whether the lines in between are as they were, nobody can say any more.
            self._held.append(f"[{previous.through_id + 1 if previous else 1},{seal.first_id})")
            for number in range(before + 1, min(seal.number, before + 1 + MOST_FINDINGS)):
                self._add(Finding(Fault.SEAL_REMOVED, seal=number))
        elif seal.previous != expected:
            self._add(Finding(Fault.SEAL_CHANGED, seal=before))
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
        """Whether each seal that was sent away is still here, or was given up by a restore."""
        missing: dict[int, Fault] = {}
        rest = iter(copies)
        while batch := list(islice(rest, 1_000)):
            numbers = [copy["number"] for copy in batch if "number" in copy]
            ours = AuditSeal.objects.filter(number__in=numbers)
            seals = dict(ours.values_list("number", "seal"))
            for copy in batch:
                if "restored_to" in copy:
                    given_up = [number for number in missing if number > copy["restored_to"]]
                    self.report.given_up += len(given_up)
                    for number in given_up:
                        del missing[number]
                    continue
                self.report.copies += 1
                number = copy["number"]
                if number not in seals:
                    if not audit_cuts.covers(self._cut, number, sealed_at=copy.get("sealed_at")):
                        missing[number] = Fault.SEAL_REMOVED
                elif seals[number] != copy["seal"]:
                    missing[number] = Fault.SEAL_REPLACED
        for number, fault in missing.items():
            self._add(Finding(fault, seal=number))

    def finished(self) -> Report:
        """The report, with lines that have changed places told from those that were changed, and
        without those that retention has dropped meanwhile.
        """
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
        self._leave_out_dropped()
        self.report.findings.sort(key=lambda each: (each.line or 0, each.seal or 0))
        return self.report

    def _leave_out_dropped(self) -> None:
        cut = audit_cuts.latest()
        if cut is None or cut == self._cut or audit_cuts.forged():
            return
        gone = [
            each
            for each in self.report.findings
            if each.fault is Fault.REMOVED and audit_cuts.covers(cut, each.seal or 0)
        ]
        self.report.faults -= len(gone)
        self.report.findings = [each for each in self.report.findings if each not in gone]

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
