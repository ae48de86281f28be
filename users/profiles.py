"""A user's name and avatar, as shown in push notices."""

from datetime import datetime

from django.db import transaction

from applications import audit
from applications.audit import Actor
from applications.models import Environment
from users import identity
from users.models import AppUser
from users.tokens import UnknownUsers


def get(*, environment: Environment, user_id: str) -> AppUser:
    """A registered user. Raises `UnknownUsers`."""
    user = AppUser.objects.filter(environment=environment, user_id=user_id).first()
    if user is None:
        raise UnknownUsers([user_id])
    return user


@transaction.atomic
def update(
    *,
    environment: Environment,
    user_id: str,
    by: Actor,
    now: datetime,
    name: str | None = None,
    avatar_url: str | None = None,
) -> AppUser:
    """Change what is given; None leaves it. Raises `UnknownUsers`, `identity.InvalidProfile`."""
    identity.check_profile(name=name, avatar_url=avatar_url)
    user = (
        AppUser.objects.select_for_update()
        .filter(environment=environment, user_id=identity.check_user_id(user_id))
        .first()
    )
    if user is None:
        raise UnknownUsers([user_id])
    given = {
        field: value
        for field, value in (("name", name), ("avatar_url", avatar_url))
        if value is not None and getattr(user, field) != value
    }
    if given:
        before = {field: getattr(user, field) for field in given}
        for field, value in given.items():
            setattr(user, field, value)
        user.save(update_fields=list(given))
        audit.record(
            "user.updated",
            environment=environment,
            subject=user_id,
            by=by,
            now=now,
            before=before,
            after=given,
        )
    return user
