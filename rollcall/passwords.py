"""The only place that checks passwords of staff: for the console and for Django admin.

Wrong ones slow down whoever guesses (`applications.guesses`). `request.guessed_too_often` is set if
the password was not checked.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from applications import guesses
from applications.guesses import Guess, GuessedTooOften, Limits, Pace
from applications.requests import client_address
from rollcall import known_browsers


def limits() -> Limits:
    return Limits(
        by_name=Pace(settings.SIGN_IN_ATTEMPTS, timedelta(seconds=15)),
        by_address=Pace(2 * settings.SIGN_IN_ATTEMPTS, timedelta(seconds=10)),
        known=Pace(2 * settings.SIGN_IN_ATTEMPTS, timedelta(seconds=15)),
    )


class PasswordBackend(ModelBackend):
    def authenticate(
        self, request: Any, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Raises `PermissionDenied` if the password was not checked: no other backend may."""
        if request is None or username is None:  # no person types it
            return super().authenticate(request, username, password, **kwargs)
        guess = Guess(
            place="staff",
            name=username,
            address=client_address(request),
            browser=known_browsers.id_of(request, username),
        )
        try:
            admission = guesses.admit(guess, limits(), now=timezone.now())
        except GuessedTooOften as error:
            request.guessed_too_often = error
            raise PermissionDenied from error
        account = super().authenticate(request, username, password, **kwargs)
        if account is not None:
            guesses.was_right(admission)
        return account
