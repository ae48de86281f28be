"""Staff in the console: one deletes test users so that places become free, one imports files."""

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from applications.models import Environment
from bench.faults import place
from bench.faults.callers import FORM, Wire
from bench.faults.ledger import Import, Ledger

ROWS = 100  # of a file
CSRF = "c" * 32


def session(username: str) -> dict[str, str]:
    """The headers of a browser in which that account is signed in."""
    client = Client(headers={"host": place.HOST})
    account = get_user_model().objects.get(username=username)
    client.force_login(account)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={CSRF}",
        "X-CSRFToken": CSRF,
    }


class Staff:
    """The threads; `with Staff(...)` they work."""

    def __init__(
        self, ledger: Ledger, headers: dict[str, str], quota: Environment, apart: Environment
    ) -> None:
        self._ledger, self._headers = ledger, headers
        self._quota, self._apart = quota, apart
        self._over = threading.Event()
        targets: list[Callable[[], None]] = [self._delete, self._import]
        self._threads = [threading.Thread(target=each, daemon=True) for each in targets]

    def __enter__(self) -> "Staff":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _delete(self) -> None:
        wire, turn = Wire(), 0
        while not self._over.wait(0.2):
            known = list(self._ledger.registered)[turn:]
            if not known:
                continue
            turn, user_id = turn + 1, known[0]
            self._ledger.deletions_asked.add(user_id)
            url = _address("users:delete", self._quota, user_id)
            headers = self._headers | {"Content-Type": FORM}
            status, _, _ = wire.ask("POST", url, f"confirm={user_id}", headers)
            at = self._ledger.note("deletion", status)
            if status == 302:
                self._ledger.deleted[user_id] = at

    def _import(self) -> None:
        wire, turn = Wire(), 0
        while not self._over.wait(2.0):
            turn += 1
            user_ids = [f"i{turn}-{number}" for number in range(ROWS)]
            status, _, where = wire.ask(*self._upload(user_ids))
            self._ledger.note("import", status)
            if status != 302:
                continue
            job = Import(int(where.rstrip("/").rpartition("/")[2]), user_ids)
            self._ledger.imports.append(job)
            self._confirm(wire, job)

    def _upload(self, user_ids: list[str]) -> tuple[str, str, bytes, dict[str, str]]:
        text = "\n".join(["user_id,name", *(f"{user_id},Mia" for user_id in user_ids)])
        parts = [
            '--faults\r\nContent-Disposition: form-data; name="kind"\r\n\r\nusers',
            '--faults\r\nContent-Disposition: form-data; name="file"; filename="u.csv"\r\n'
            f"Content-Type: text/csv\r\n\r\n{text}",
            "--faults--\r\n",
        ]
        headers = self._headers | {"Content-Type": "multipart/form-data; boundary=faults"}
        url = _address("transfers:upload", self._apart)
        return "POST", url, "\r\n".join(parts).encode(), headers

    def _confirm(self, wire: Wire, job: Import) -> None:
        """Once all lines are checked, which the page says."""
        page = _address("transfers:import_job", self._apart, job.number)
        confirm = _address("transfers:confirm", self._apart, job.number)
        headers = self._headers | {"Content-Type": FORM}
        words = f"confirm={quote(self._apart.full_name)}"
        end, is_checked = time.monotonic() + 60, False
        while time.monotonic() < end and not self._over.wait(0.5):
            if not is_checked:
                _, body, _ = wire.ask("GET", page, "", self._headers)
                is_checked = f"Import {ROWS} lines".encode() in body
                continue
            status, _, _ = wire.ask("POST", confirm, words, headers)
            at = self._ledger.note("import", status)
            if status == 302:
                job.confirmed_at = at
                return


def _address(name: str, environment: Environment, *words: Any) -> str:
    return reverse(name, args=[environment.application.org_name, environment.kind, *words])
