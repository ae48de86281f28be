"""Whether all is well, as somebody outside sees it: asked again and again, on new connections."""

import json
import threading
import time
from typing import NamedTuple

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from bench.faults import place
from bench.faults.callers import Doors, Wire
from bench.gateway.swarm import Account

PATIENCE = 10.0  # seconds for each answer
PAUSE = 0.1  # seconds between two rounds
IN_A_ROW = 2  # rounds that must be well: one may have met the healthy one of two processes


class Round(NamedTuple):
    began: float
    ended: float
    wrong: str  # empty if all was well


class Probe:
    """The thread; `with Probe(...)` it asks."""

    def __init__(self, doors: Doors, account: Account) -> None:
        self._doors, self._account = doors, account
        self._over = threading.Event()
        self.rounds: list[Round] = []
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def well_since(self, moment: float) -> float | None:
        """When the first of `IN_A_ROW` rounds was over that were all well, the first ones after
        that moment; None if there are none yet.
        """
        row: list[Round] = []
        for each in [each for each in self.rounds if each.began >= moment]:
            row = [] if each.wrong else [*row, each]
            if len(row) == IN_A_ROW:
                return row[0].ended
        return None

    def wrong(self, since: float) -> str:
        """What was wrong last."""
        found = [each.wrong for each in self.rounds if each.wrong and each.began >= since]
        return found[-1] if found else "no answer yet"

    def _ask(self) -> None:
        while not self._over.wait(PAUSE):
            began = time.monotonic()
            wrong = self._is_ready() or self._doors_answer() or refusal(self._account)
            self.rounds.append(Round(began, time.monotonic(), wrong))

    def _is_ready(self) -> str:
        wire = Wire(PATIENCE)
        status, body, _ = wire.ask("GET", "/readyz")
        wire.close()
        if status == 200:
            return ""
        faults = json.loads(body).get("faults", "") if status == 503 else ""
        return f"/readyz: {status} {faults}"

    def _doors_answer(self) -> str:
        for register in self._doors.registrations:
            wire = Wire(PATIENCE)
            method, path, body, headers = register(self._account.user_id)
            status, _, _ = wire.ask(method, path, body, headers)
            wire.close()
            # One of them refuses a user who exists.
            if status not in (200, 400):
                return f"{path}: {status}"
        return ""


def refusal(account: Account) -> str:
    """Why the gateway does not let this user in; empty if it does."""
    url = f"ws://{place.HOST}:{place.GATEWAY_PORT}/gateway"
    first = {"app_key": account.app_key, "token": account.token, "device": "probe"}
    try:
        with connect(url, open_timeout=PATIENCE, close_timeout=0.2, compression=None) as socket:
            socket.send(json.dumps(first))
            heard = json.loads(socket.recv(timeout=PATIENCE))
    except (OSError, WebSocketException) as error:
        return f"gateway: {type(error).__name__}"
    return "" if heard["event"] == "connected" else f"gateway: {heard}"
