"""What happens when somebody signs in, or changes how they do. (allauth's own signals come after
the commit, too late for an audit line.)
"""

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from applications import second_factors
from applications.requests import acting_staff


def signed_in(*, request: Any, user: Any, **_: Any) -> None:
    """Whoever has just signed in need not sign in again to do what asks for it."""
    if request is not None:
        record_authentication(request, user, method="sign_in", reauthenticated=True)


def factor_added(*, instance: Any, created: bool, **_: Any) -> None:
    if created:
        _record(second_factors.added, instance)


def factor_removed(*, instance: Any, **_: Any) -> None:
    _record(second_factors.removed, instance)


def _record(verb: Callable[..., None], authenticator: Any) -> None:
    """In the transaction of the change. Without a request, whoever removes it writes the line."""
    request = context.request
    if request is not None:
        by, now = acting_staff(request), timezone.now()
        account = authenticator.user
        verb(account=account, kind=authenticator.type, by=by, now=now)


user_logged_in.connect(signed_in, dispatch_uid="console.signed_in")
post_save.connect(factor_added, sender=Authenticator, dispatch_uid="console.factor_added")
post_delete.connect(factor_removed, sender=Authenticator, dispatch_uid="console.factor_removed")
