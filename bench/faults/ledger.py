"""What was asked for, and what was acknowledged, with the moment: of `time.monotonic`."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

Moments = dict[str, float]


@dataclass(frozen=True)
class Answer:
    at: float
    whose: str  # "registration", "ban", ...
    status: int  # of HTTP; 0 if there was no answer


@dataclass
class Import:
    """A file that was uploaded; `confirmed_at` once the console has said that it is imported."""

    number: int
    user_ids: list[str]
    confirmed_at: float | None = None


@dataclass
class Ledger:
    answers: list[Answer] = field(default_factory=list)
    registered: Moments = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    deletions_asked: set[str] = field(default_factory=set)
    deleted: Moments = field(default_factory=dict)
    bans_asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bans_acknowledged: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    # In force for certain: acknowledged, and nobody has asked to lift them.
    banned: Moments = field(default_factory=dict)
    imports: list[Import] = field(default_factory=list)
    let_in: list[tuple[float, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, whose: str, status: int) -> float:
        now = time.monotonic()
        self.answers.append(Answer(now, whose, status))
        return now
