"""The rules of the gates, said slowly: what `moderation_may_connect` and `moderation_may_message`
answer, in the ORM. The verdicts are those of `moderation.gates`.
"""

from moderation.gates import ConnectRule, MessageRule, connect_verdict, message_verdict
from moderation.lists import allowlist, allowlists_on, blocklist
from moderation.models import Ban, Mute
from users import friends, messages
from users.models import AppUser, DeactivatedUser, Message


def may_connect(*, environment, user_id, now):
    ban = Ban.objects.in_force(now).filter(environment=environment, user_id=user_id).first()
    if ban is not None:
        return connect_verdict(user_id, ConnectRule.BANNED, ban.expires_at, ban.told_reason)
    if _is_registered(environment, user_id):
        rule = ConnectRule.REGISTERED
    elif _is_deactivated(environment, user_id):
        rule = ConnectRule.DEACTIVATED
    else:
        rule = ConnectRule.NOT_REGISTERED
    return connect_verdict(user_id, rule, None, "")


def may_message(*, environment, sender_id, recipient_id, now):
    sender = may_connect(environment=environment, user_id=sender_id, now=now)
    if not sender.allowed:
        return sender
    environment.refresh_from_db()
    rule, until = _rule(environment, sender_id, recipient_id, now)
    return message_verdict(sender_id, recipient_id, rule, until, "")


def _rule(environment, sender_id, recipient_id, now):
    """The rule, and when it ends."""
    if not _is_registered(environment, recipient_id):
        if _is_deactivated(environment, recipient_id):
            return MessageRule.RECIPIENT_DEACTIVATED, None
        return MessageRule.UNKNOWN_RECIPIENT, None
    mutes = Mute.objects.in_force(now).filter(environment=environment, user_id=sender_id)
    if mute := mutes.filter(channel=Mute.Channel.DIRECT).first():
        return MessageRule.MUTED, mute.expires_at
    if environment.friends_only and not friends.friends_among(
        environment=environment, user_id=recipient_id, others=[sender_id]
    ):
        return MessageRule.NOT_FRIENDS, None
    on = allowlists_on(environment=environment, owner_ids=[sender_id, recipient_id])
    if recipient_id not in on:
        if blocklist.contains(environment=environment, owner_id=recipient_id, listed_id=sender_id):
            return MessageRule.BLOCKED, None
    elif not allowlist.contains(
        environment=environment, owner_id=recipient_id, listed_id=sender_id
    ):
        return MessageRule.NOT_ON_ALLOWLIST, None
    elif sender_id in on and not allowlist.contains(
        environment=environment, owner_id=sender_id, listed_id=recipient_id
    ):
        return "not_on_own_allowlist", None
    waiting = Message.objects.filter(
        environment=environment, recipient_id=recipient_id, delivered_at=None
    )
    if waiting.count() >= messages.MAX_WAITING:
        return MessageRule.MAILBOX_FULL, None
    return (MessageRule.ON_ALLOWLIST if recipient_id in on else MessageRule.OPEN), None


def _is_registered(environment, user_id):
    return AppUser.objects.filter(environment=environment, user_id=user_id).exists()


def _is_deactivated(environment, user_id):
    return DeactivatedUser.objects.filter(environment=environment, user_id=user_id).exists()
