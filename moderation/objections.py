"""Tells the plans that free places whom to pass over."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from applications.models import Environment
from moderation.models import Ban
from users.reclaim import objecting


@receiver(objecting, dispatch_uid="moderation.objections")
def object_to(
    *, environment: Environment, user_ids: list[str], now: datetime, **_: Any
) -> dict[str, str]:
    """Banned users: a deletion would remove the ban."""
    bans = Ban.objects.in_force(now).filter(environment=environment, user_id__in=user_ids)
    banned = bans.values_list("user_id", flat=True)
    return dict.fromkeys(banned, "Banned: a deletion removes the ban")
