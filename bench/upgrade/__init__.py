"""`python -m bench upgrade REVISION`: an upgrade from that revision (default: the one before this)
to this tree, under load.

Both versions run side by side over one database, behind nginx with the file of `deploy/`: the old
one is started, app servers and chat clients begin, the database is migrated, the new one is
started, nginx is told to send nothing more to the old one, and that is stopped. The old one runs
with the packages of its own lock file, in a `.venv` of its own. It prints what callers and clients
saw meanwhile, and compares what they were told with what the database holds. It ends with 1 if
anything was lost.

Environment variables: CALLERS (16), EACH (100 chat clients of each protocol), RATE (60 messages a
second of all together) and SECONDS of each phase (8). Needs nginx, git and make.
"""

import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack

from django.conf import settings

from bench.crossing import KINDS, Crowd
from bench.gateway import number
from bench.gateway.swarm import Account, ChatClient, Swarm
from bench.machine import machine
from bench.upgrade.callers import App, Callers
from bench.upgrade.versions import Proxy, Version, checkout

PATIENCE = 60  # seconds until all clients are in, and for the last messages


class Clients(Crowd):
    """Chat clients that notice when they are sent away."""

    def __init__(self, swarm: Swarm, accounts: list[Account], port: int) -> None:
        super().__init__(swarm, accounts, [port])
        self.sent_away: list[float] = []
        self._rate, self._writes_at, self._looks_at = number("RATE", 60), 0.0, 0.0

    def closed(self, client: ChatClient, at: float) -> None:
        self.sent_away.append(time.monotonic())
        super().closed(client, at)

    def go_on(self, *, writing: bool) -> float:
        now = time.perf_counter()
        if now >= self._looks_at:
            self._looks_at = now + 0.2
            self.connect_again()
        if writing and now >= self._writes_at:
            self._writes_at = max(now - 1, self._writes_at) + 1 / self._rate
            self.write()
        return 0.005

    @property
    def are_all_in(self) -> bool:
        return self.inside == len(self.writers)


def main() -> None:
    revision = sys.argv[2] if len(sys.argv) > 2 else "HEAD~1"
    print(machine(), f"From {revision}.", flush=True)
    with ExitStack() as stack:
        folder = settings.DATA_DIR / "upgrade"
        folder.mkdir()
        old = Version("old", checkout(revision, folder / "tree"), folder)
        new = Version("new", settings.BASE_DIR, folder)
        stack.callback(new.stop)
        stack.callback(old.stop)
        app = App(old)
        old.start()
        proxy = Proxy(folder, [old, new])
        stack.callback(proxy.stop)
        callers = Callers(proxy.port, app, {each.port: each.name for each in (old, new)})
        swarm = Swarm()
        accounts = [callers.chat_account(n) for n in range(number("EACH", 100) * len(KINDS))]
        chat = Clients(swarm, accounts, proxy.port)
        if not swarm.run(
            lambda: chat.are_all_in, within=PATIENCE, work=lambda: chat.go_on(writing=False)
        ):
            raise SystemExit(f"Only {chat.inside} of {len(chat.writers)} chat clients are in.")
        upgrade = Upgrade(old, new, proxy, callers, chat)
        stack.callback(callers.end)
        callers.start()
        upgrade.start()
        swarm.run(
            lambda: not upgrade.is_alive(),
            within=1_000,
            work=lambda: chat.go_on(writing=upgrade.is_alive()),
        )
        callers.end()
        swarm.run(
            lambda: chat.are_all_in and chat.is_quiet,
            within=PATIENCE,
            work=lambda: chat.go_on(writing=False),
        )
        swarm.run(lambda: False, within=3, work=lambda: chat.go_on(writing=False))
        lost = report(upgrade, callers, chat)
        for each in (old, new):
            print(f"errors in the log of the {each.name} version: {each.errors() or 'none'}")
        print(new.manage("verify_audit").strip().replace("\n", "\n  "))
    raise SystemExit(bool(lost))


class Upgrade(threading.Thread):
    """What an operator does, while callers and clients go on."""

    def __init__(
        self, old: Version, new: Version, proxy: Proxy, callers: Callers, chat: Clients
    ) -> None:
        super().__init__()
        self._old, self._new, self._proxy = old, new, proxy
        self._callers, self._chat = callers, chat
        self.stopped_at = self.took = 0.0
        self.entries_before = 0

    def run(self) -> None:
        seconds = number("SECONDS", 8)
        time.sleep(seconds)
        self._callers.phase = "the database is migrated"
        self._new.manage("migrate", "-v0")
        self._callers.phase = "the new version starts"
        self._new.start()
        self._callers.phase = "both"
        time.sleep(seconds)
        self._callers.phase = "the old version stops"
        self._proxy.send_only_to(self._new)
        self.entries_before, self.stopped_at = self._chat.entries, time.monotonic()
        self.took = self._old.stop()
        self._callers.phase = "the new version alone"
        time.sleep(seconds)


def report(upgrade: Upgrade, callers: Callers, chat: Clients) -> int:
    """Print it all. Returns how much was acknowledged and lost, or received twice."""
    print(f"{'calls while':<26}{'by old':>8}{'by new':>8}{'again':>7}{'worst s':>9}  statuses")
    for phase, seen in callers.seen.items():
        old, new = (seen.answered[name] for name in ("old", "new"))
        print(
            f"{phase:<26}{old:>8}{new:>8}{seen.sent_again:>7}{seen.slowest:>9.2f}  "
            f"{dict(sorted(seen.statuses.items()))}"
        )
    away = sorted(moment - upgrade.stopped_at for moment in chat.sent_away)
    away = [moment for moment in away if moment >= 0]
    busiest = max(Counter(int(moment / 0.5) for moment in away).values(), default=0)
    print(
        f"The old version stopped within {upgrade.took:.1f} s. {len(chat.writers)} chat clients: "
        f"{len(away)} were sent away, at most {busiest} in half a second, and came back "
        f"{chat.entries - upgrade.entries_before} times; {chat.inside} are in at the end."
    )
    written = sum(each.written for each in chat.writers.values())
    heard = {place.rpartition(" at ")[0] for place in chat.heard}
    twice = sum(count > 1 for count in chat.heard.values())
    lost_messages = len(chat.stored_bodies - heard)
    print(
        f"messages: {written:,} written, {len(chat.stored_bodies):,} acknowledged, {len(heard):,} "
        f"received; acknowledged and lost: {lost_messages}; received twice: {twice}"
    )
    if chat.problems:
        print("  refused, and sent again:", dict(chat.problems))
    lost_acts = callers.lost()
    for what, (acknowledged, lost) in lost_acts.items():
        print(f"{what}: {acknowledged:,} acknowledged, lost: {lost}")
    return lost_messages + twice + sum(lost for _, lost in lost_acts.values())
