"""Staff sessions in the database: stored under a hash of their key, and encrypted.

Invariants
----------
* Only the browser's cookie holds the key, so nobody can sign in with the contents of the database.
* A session may hold what its owner is about to change, such as a form that waits for signing in
  again. It is encrypted with `ENCRYPTION_KEYS`.
* A row names its account, the address and the browser, so a person can see and end their sessions.
"""

import hashlib
from datetime import timedelta
from typing import Any, cast

from cryptography.fernet import InvalidToken
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from applications import vault
from applications.models import StaffSession
from applications.requests import client_address

# How exact "last used" is. A request writes at most this often.
USE_NOTED_EVERY = timedelta(minutes=1)
LONGEST_BROWSER = 200  # characters


def hashed(session_key: str) -> str:
    """The hash of a key: 160 bits, which fill the column in hex."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    # Of the request; empty where there is none.
    address: str | None = None
    browser = ""
    # The row that was loaded.
    row: StaffSession | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    def encode(self, session_dict: dict[str, Any]) -> str:
        return vault.encrypt(self.serializer().dumps(session_dict).decode("latin-1"))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            text = vault.decrypt_once(str(session_data))
        except InvalidToken:  # of a key that is no longer ours
            return {}
        found: dict[str, Any] = self.serializer().loads(text.encode("latin-1"))
        return found

    def _get_session_from_db(self) -> StaffSession | None:
        key = hashed(self.session_key or "")
        self.row = StaffSession.objects.filter(
            session_key=key, expire_date__gt=timezone.now()
        ).first()
        if self.row is None:
            self._session_key = None
        return self.row

    def exists(self, session_key: str) -> bool:
        return bool(super().exists(hashed(session_key)))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        session = cast(StaffSession, super().create_model_instance(data))
        session.session_key = hashed(session.session_key)
        session.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        session.address, session.browser = self.address, self.browser
        now = timezone.now()
        is_same = self.row is not None and self.row.account_id == session.account_id
        session.signed_in_at = self.row.signed_in_at if self.row and is_same else now
        session.last_used_at = now
        return session

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(hashed(key))

    def note_use(self) -> None:
        """Write when and from where the session was used, unless that was written lately."""
        now, row = timezone.now(), self.row
        if row is None or row.account_id is None or now - row.last_used_at < USE_NOTED_EVERY:
            return
        StaffSession.objects.filter(pk=row.pk).update(
            last_used_at=now, address=self.address, browser=self.browser
        )

    # Django's own asynchronous methods use the plain key. These call the methods above.
    aexists = SessionBase.aexists
    acreate = SessionBase.acreate
    asave = SessionBase.asave
    adelete = SessionBase.adelete
    aload = SessionBase.aload


class SessionMiddleware(middleware.SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        session = cast(SessionStore, request.session)
        session.address = client_address(request)
        session.browser = request.headers.get("User-Agent", "")[:LONGEST_BROWSER]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> Any:
        if response.status_code < 500:
            cast(SessionStore, request.session).note_use()
        return super().process_response(request, response)
