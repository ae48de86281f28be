"""The sessions in which staff are signed in."""

from datetime import datetime
from importlib import import_module
from typing import Any, Self

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class StaffSessionQuerySet(models.QuerySet["StaffSession"]):
    def of(self, account: Any, *, now: datetime) -> Self:
        """The account's open sessions, the last used first."""
        return self.filter(account=account, expire_date__gt=now).order_by(
            "-last_used_at", "session_key"
        )


class StaffSession(AbstractBaseSession):
    """A browser's session. `rollcall.sessions` reads and writes it: the key is stored as a hash,
    the data encrypted.
    """

    # Empty before signing in.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="sessions"
    )
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=200, blank=True, help_text="Its User-Agent.")
    signed_in_at = models.DateTimeField()
    last_used_at = models.DateTimeField()

    objects = StaffSessionQuerySet.as_manager()  # type: ignore[assignment,misc]

    def __str__(self) -> str:
        return f"{self.account} since {self.signed_in_at:%Y-%m-%d %H:%M}"

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore
