"""Tags of users, and remarks: the names that a user's push notifications show for other users.

Setting tags replaces the old ones; an empty list removes all. Users need not be registered.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from applications import audit
from applications.audit import Actor
from applications.audit_types import AuditType
from applications.models import Environment
from users import identity
from users.models import Remark, UserTags

MAX_TAGS = 20
TAG_MAX_BYTES = 40
REMARK_MAX_LENGTH = 64


class InvalidTags(Exception):
    """There are too many tags, or a tag or remark is empty, too long, or not text."""


@transaction.atomic
def set_tags(
    *,
    environment: Environment,
    user_ids: Iterable[str],
    tags: Sequence[str],
    by: Actor,
    now: datetime,
) -> None:
    """Set the tags of each of these users. Raises `InvalidTags`."""
    wanted, unique = identity.check_user_ids(user_ids), list(dict.fromkeys(tags))
    if len(unique) > MAX_TAGS:
        raise InvalidTags(f"A user has at most {MAX_TAGS} tags")
    if not all(tag and identity.is_text(tag, TAG_MAX_BYTES) for tag in unique) or any(
        len(tag.encode()) > TAG_MAX_BYTES for tag in unique
    ):
        raise InvalidTags(f"A tag is text of 1 to {TAG_MAX_BYTES} bytes")
    identity.lock(environment, wanted)
    before = tags_of(environment=environment, user_ids=wanted)
    UserTags.objects.bulk_create(
        # Sorted, so that two callers cannot deadlock.
        (
            UserTags(environment=environment, owner_id=user_id, tags=unique)
            for user_id in sorted(wanted)
        ),
        update_conflicts=True,
        unique_fields=["environment", "owner_id"],
        update_fields=["tags"],
    )
    audit.record_many(
        AuditType.TAGS_CHANGED,
        environment=environment,
        by=by,
        now=now,
        changes=[
            (user_id, {"tags": before[user_id]}, {"tags": unique})
            for user_id in wanted
            if before[user_id] != unique
        ],
    )


def tags_of(*, environment: Environment, user_ids: Iterable[str]) -> dict[str, list[str]]:
    """user_id → tags, for all ids given, in their order."""
    wanted = list(dict.fromkeys(user_ids))
    found = dict(
        UserTags.objects.filter(environment=environment, owner_id__in=wanted).values_list(
            "owner_id", "tags"
        )
    )
    return {user_id: found.get(user_id, []) for user_id in wanted}


@transaction.atomic
def set_remarks(
    *,
    environment: Environment,
    owner_id: str,
    remarks: Mapping[str, str],
    by: Actor,
    now: datetime,
) -> None:
    """Set the owner's remarks about these users. Raises `InvalidTags`."""
    about = identity.check_user_ids(remarks)
    if any(not text or not identity.is_text(text, REMARK_MAX_LENGTH) for text in remarks.values()):
        raise InvalidTags(f"A remark is text of 1 to {REMARK_MAX_LENGTH} characters")
    identity.lock(environment, [identity.check_user_id(owner_id)])
    Remark.objects.bulk_create(
        (
            Remark(
                environment=environment,
                owner_id=owner_id,
                about_id=user_id,
                text=remarks[user_id],
            )
            for user_id in sorted(about)
        ),
        update_conflicts=True,
        unique_fields=["environment", "owner_id", "about_id"],
        update_fields=["text"],
    )
    audit.record(
        AuditType.REMARKS_CHANGED,
        environment=environment,
        subject=owner_id,
        by=by,
        now=now,
        after={"remarks": dict(remarks)},
    )


@transaction.atomic
def remove_remark(
    *, environment: Environment, owner_id: str, about_id: str, by: Actor, now: datetime
) -> None:
    """Remove the owner's remark about a user. It is not an error if there is none."""
    removed, _ = Remark.objects.filter(
        environment=environment, owner_id=owner_id, about_id=about_id
    ).delete()
    if removed:
        audit.record(
            AuditType.REMARKS_CHANGED,
            environment=environment,
            subject=owner_id,
            by=by,
            now=now,
            before={"about": about_id},
        )


def remarks_of(*, environment: Environment, owner_id: str) -> QuerySet[Remark]:
    """The owner's remarks about other users; an index sorts by `about_id`."""
    return Remark.objects.filter(environment=environment, owner_id=owner_id)
