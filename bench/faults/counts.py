"""Both sides compared: what was acknowledged, and what there is.

A `Finding` is one thing that must not be. Its moment is that of the acknowledgement, so that the
table can say during which fault it was.
"""

from collections import Counter
from typing import NamedTuple

from applications.models import FREE_USER_LIMIT, AuditEvent, Environment
from bench.faults.chat import Chat
from bench.faults.ledger import Ledger
from moderation.models import Ban
from transfers.models import ImportJob, ImportRow
from users.models import AppUser


class Finding(NamedTuple):
    at: float
    kind: str  # "lost", "twice" or "let in"
    what: str


def findings(ledger: Ledger, chat: Chat, quota: Environment, apart: Environment) -> list[Finding]:
    """All but those of bans, after the load has ended and the chat is quiet."""
    let_in = [Finding(at, "let in", what) for at, what in ledger.let_in]
    return [
        *let_in,
        *_registrations(ledger, quota),
        *_imports(ledger, apart),
        *_messages(chat),
        *(Finding(at, "lost", "a kick") for at, client in chat.kicked if not client.is_gone),
    ]


def acknowledged(ledger: Ledger, chat: Chat) -> list[float]:
    """The moment of each acknowledgement."""
    return [
        *ledger.registered.values(),
        *ledger.deleted.values(),
        *(at for moments in ledger.bans_acknowledged.values() for at in moments),
        *(job.confirmed_at for job in ledger.imports if job.confirmed_at is not None),
        *chat.acknowledged.values(),
        *(at for at, _ in chat.kicked),
    ]


def _registrations(ledger: Ledger, environment: Environment) -> list[Finding]:
    there = set(AppUser.objects.in_environment(environment).values_list("user_id", flat=True))
    found = [
        Finding(at, "lost", f"the registration of {user_id}")
        for user_id, at in ledger.registered.items()
        if user_id not in there and user_id not in ledger.deletions_asked
    ]
    found += [
        Finding(at, "lost", f"the deletion of {user_id}")
        for user_id, at in ledger.deleted.items()
        if user_id in there
    ]
    lines = AuditEvent.objects.filter(environment=environment, type="user.deleted")
    deletions = Counter(lines.values_list("subject", flat=True))
    found += [
        Finding(ledger.deleted.get(user_id, 0.0), "twice", f"the deletion of {user_id}")
        for user_id, count in deletions.items()
        if count > 1
    ]
    if len(there) > FREE_USER_LIMIT:
        found.append(Finding(0.0, "let in", f"{len(there)} users, beyond the quota"))
    return found


def bans(ledger: Ledger, environment: Environment) -> list[Finding]:
    """Before they are lifted."""
    in_force = Ban.objects.filter(environment=environment, closed_at=None)
    there = set(in_force.values_list("user_id", flat=True))
    found = [
        Finding(at, "lost", f"the ban of {user_id}")
        for user_id, at in ledger.banned.items()
        if user_id not in there
    ]
    lines = AuditEvent.objects.filter(
        environment=environment, type__in=["ban.imposed", "ban.changed"]
    )
    written = Counter(lines.values_list("subject", flat=True))
    for user_id, moments in ledger.bans_acknowledged.items():
        if written[user_id] < len(moments):
            found.append(Finding(moments[-1], "lost", f"the audit line of a ban of {user_id}"))
    found += [
        Finding(ledger.bans_acknowledged[user_id][-1], "twice", f"a ban of {user_id}")
        for user_id, count in written.items()
        if count > ledger.bans_asked[user_id]
    ]
    return found


def _imports(ledger: Ledger, environment: Environment) -> list[Finding]:
    there = set(AppUser.objects.in_environment(environment).values_list("user_id", flat=True))
    found = []
    for job in ledger.imports:
        if job.confirmed_at is None:
            continue
        missing = sum(user_id not in there for user_id in job.user_ids)
        done = ImportRow.objects.filter(job_id=job.number, result=ImportRow.Result.DONE).count()
        state = ImportJob.objects.get(pk=job.number).state
        if missing or done < len(job.user_ids) or state != ImportJob.State.DONE:
            what = f"import {job.number}: {state}, {done} lines done, {missing} users missing"
            found.append(Finding(job.confirmed_at, "lost", what))
    return found


def _messages(chat: Chat) -> list[Finding]:
    heard = {where.rpartition(" at ")[0]: count for where, count in chat.heard.items()}
    found = [
        Finding(at, "lost", f"the message {body}")
        for body, at in chat.acknowledged.items()
        if body not in heard
    ]
    found += [
        Finding(chat.acknowledged.get(body, 0.0), "twice", chat.story(body))
        for body, count in heard.items()
        if count > 1
    ]
    found += [
        Finding(0.0, "let in", f"read by somebody else: {where}")
        for where in chat.heard
        if where.split()[3] != where.rpartition(" at ")[2]
    ]
    return found
