"""An environment at its limit with one record of every kind. All texts are as long as allowed and
have no blank at which they could break.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from applications import app_secrets, audit, request_log
from applications.models import FREE_USER_LIMIT, AppSecret, Delivery, Member, Webhook
from moderation.models import AllowlistEntry, Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    HOUR,
    make_account,
    make_ban,
    make_connection,
    make_deactivated,
    make_delivery,
    make_entry,
    make_logged_call,
    make_member,
    make_switch,
    make_user,
    make_users,
    staff_actor,
)
from users.models import (
    AVATAR_URL_MAX_LENGTH,
    NAME_MAX_LENGTH,
    Attributes,
    Connection,
    DeactivatedUser,
    DeletionItem,
    DeletionJob,
    FriendRequest,
    Friendship,
    LeaseRule,
    Place,
    Profile,
    UserTags,
)

USER_ID, OTHER_ID = "x" * 64, "w" * 64
NAME = "W" * NAME_MAX_LENGTH
STAFF = "m" * 150
REASON = "y" * 200
VIA = "v" * 80
WEBHOOK_URL = f"https://{'h' * 63}.{'h' * 63}.example.com/".ljust(500, "p")


def fill(here: Any) -> Any:
    """Fill a `World` of the access tests."""
    environment, now = here.environment, timezone.now()
    there = {"environment": environment}
    seen = {"registered_at": now - DAY, "last_seen_at": now}
    avatar = "https://example.com/".ljust(AVATAR_URL_MAX_LENGTH, "a")
    user = make_user(user_id=USER_ID, name=NAME, avatar_url=avatar, **seen, **there)
    other = make_user(user_id=OTHER_ID, name=NAME, **seen, **there)
    make_users(count=FREE_USER_LIMIT - 3, prefix="ci-", **there)
    by = {"imposed_at": now - HOUR, "banned_since": now - HOUR}
    make_ban(user_id=USER_ID, reason=REASON, expires_at=None, **by, **there)
    make_ban(user_id="mia", expires_at=now + DAY, **by, **there)
    make_ban(
        user_id=OTHER_ID,
        reason=REASON,
        expires_at=now + DAY,
        closed_at=now,
        closed_by=STAFF,
        closed_via=VIA,
        outcome="lifted",
        **by,
        **there,
    )
    Ban.objects.update(imposed_by=STAFF, imposed_via=VIA)
    call = make_logged_call(
        at=now.timestamp(),
        status=403,
        code="c" * 24,
        path=f"/{'p' * (request_log.LONGEST_PATH - 1)}",
        name="n" * 80,
        request_id="r" * 64,
        address="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    )
    request_log.note(request_log.Answered(environment.pk, call))
    request_log.write()
    make_deactivated(user_id="z" * 64, erased_at=None, **there)
    DeactivatedUser.objects.update(deactivated_by=STAFF, via=VIA)
    for model in (BlocklistEntry, AllowlistEntry):
        make_entry(model, owner_id="mia", listed_id=USER_ID, **there)
        make_entry(model, owner_id=USER_ID, listed_id=OTHER_ID, **there)
        model.objects.update(added_by=STAFF)
    for owner_id in ("mia", USER_ID):
        make_switch(owner_id=owner_id, **there)
    for channel, expires_at in (("direct", now + DAY), ("group", None)):
        Mute.objects.create(
            user_id=USER_ID,
            channel=channel,
            imposed_at=now,
            imposed_by=STAFF,
            expires_at=expires_at,
            **there,
        )
    for user_id in (USER_ID, OTHER_ID):
        make_connection(user_id=user_id, device="d" * 64, platform="p" * 32, **there)
    Connection.objects.update(address="2001:db8:1111:2222:3333:4444:5555:6666")
    if environment.is_development:
        Place.objects.create(user=user, taken_by=STAFF, taken_via=VIA, lease_until=now + DAY)
        Place.objects.create(user=other, pinned_at=now, pinned_by=STAFF, lease_until=now + DAY)
        LeaseRule.objects.create(
            prefix=OTHER_ID, lasts=400 * DAY, added_at=now, added_by=STAFF, **there
        )
    add_personal_data(user, other, now)
    add_members_and_secrets(environment, now)
    add_webhooks(environment, here, now)
    add_deletion_items(environment, user)
    add_audit_events(environment, now)
    return here


def add_personal_data(user: Any, other: Any, now: Any) -> None:
    of_user = {"environment": user.environment, "owner_id": user.user_id}
    long_fields = {"k" * 64: "v" * 256, "short": "v" * 30}
    Profile.objects.create(user=user, basic=long_fields, extended={}, version=1)
    Attributes.objects.create(values=long_fields, size=400, **of_user)
    UserTags.objects.create(tags=["t" * 40, "u" * 40], **of_user)
    Friendship.objects.create(
        friend_id=other.user_id, alias="a" * 100, extended=long_fields, added_at=now, **of_user
    )
    FriendRequest.objects.create(
        environment=user.environment,
        sender_id="r" * 64,
        recipient_id=user.user_id,
        message="q" * 128,
        requested_at=now,
    )


def add_members_and_secrets(environment: Any, now: Any) -> None:
    make_member(application=environment.application, account=make_account(username=STAFF))
    Member.objects.update(added_by=STAFF)
    app_secrets.add(environment=environment, by=staff_actor(STAFF), now=now)
    AppSecret.objects.update(
        created_by=STAFF,
        name="N" * 60,
        last_used_via=VIA,
        last_used_at=now,
        last_used_address="2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    )


def add_webhooks(environment: Any, here: Any, now: Any) -> None:
    Webhook.objects.update(
        url=WEBHOOK_URL,
        created_by=STAFF,
        disabled_at=now,
        disabled_reason="b" * 100,
    )
    webhook = Webhook.objects.get(pk=here.ids["webhook_id"])
    for state, error in (("failed", "e" * 200), ("delivered", "")):
        make_delivery(
            webhook=webhook, data={"user_id": USER_ID, "name": NAME}, state=state, error=error
        )
    for number, delivery in enumerate(Delivery.objects.all()):
        delivery.message_id = f"{number}{'g' * 39}"
        delivery.save()


def add_deletion_items(environment: Any, user: Any) -> None:
    DeletionJob.objects.update(previewed_by=STAFF)
    for job in DeletionJob.objects.all():
        DeletionItem.objects.create(job=job, user_id=USER_ID, life=user.pk, reason=REASON)


def add_audit_events(environment: Any, now: Any) -> None:
    by = staff_actor(STAFF)
    with transaction.atomic():
        for subject in (USER_ID, STAFF):
            audit.record(
                "ban.imposed",
                environment=environment,
                subject=subject,
                by=by,
                now=now,
                before={"reason": REASON},
                after={"reason": REASON[::-1], "until": None},
            )


def lengthen_username() -> None:
    """Give the newest account the longest username allowed."""
    account = get_user_model().objects.order_by("-pk")[0]
    account.username = "s" * 150
    account.save()
