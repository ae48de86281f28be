"""Law 31: each change by staff, API or system leaves one line in its own transaction: who, what, to
whom, when, from where, before and after. Plain registrations by API leave none.
"""

from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory

from applications import app_secrets, audit, environments, members
from applications.audit import OutsideTransaction
from applications.models import Application, AppSecret, AuditEvent, Environment, Member, Role
from applications.requests import acting_staff
from moderation import ban_sweep, bans, mutes
from moderation.lists import blocklist, switch_allowlist
from moderation.models import AllowlistSwitch, Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    NOON,
    api_actor,
    make_account,
    make_ban,
    make_connection,
    make_deactivated,
    make_environment,
    make_user,
    staff_actor,
)
from users import (
    attributes,
    deactivation,
    deletion,
    friend_permissions,
    friends,
    hosted_profiles,
    presence,
    profiles,
    registration,
    tags,
    tokens,
)
from users.models import (
    AppUser,
    Attributes,
    Connection,
    DeactivatedUser,
    DeletionJob,
    FriendPermission,
    FriendRequest,
    Friendship,
    Profile,
    RegistrationTally,
    Remark,
    UserTags,
)

GRACE = staff_actor("grace")


def state():
    """What the verbs below change."""
    models = (
        *(Application, Environment, AppSecret, Member, AuditEvent),
        *(AppUser, DeactivatedUser, DeletionJob, Connection, RegistrationTally),
        *(Ban, BlocklistEntry, AllowlistSwitch, Mute),
        *(Friendship, FriendRequest, Profile, Attributes, UserTags, Remark),
    )
    return {model: list(model.objects.order_by("pk").values()) for model in models}


def here(environment):
    return {"environment": environment, "by": GRACE, "now": NOON}


def by_api(environment):
    return here(environment) | {"by": api_actor()}


# Each kind of change, made once.
VERBS = {
    "application.created": lambda e: environments.create_application(name="B", by=GRACE, now=NOON),
    "secret.added": lambda e: app_secrets.add(**here(e)),
    "member.added": lambda e: members.add(
        application=e.application, username="new", role=Role.VIEWER, by=GRACE, now=NOON
    ),
    "user.registered": lambda e: registration.register_by_staff(
        user_id="new", name="New", **here(e)
    ),
    "user.updated": lambda e: profiles.update(user_id="ada", name="Ada", **here(e)),
    "user.tokens_expired": lambda e: tokens.expire(user_ids=["ada"], before=NOON, **here(e)),
    "tokens.revoked": lambda e: tokens.revoke_all(**here(e)),
    "user.kicked": lambda e: presence.kick(user_id="ada", **here(e)),
    "users.sampled": lambda e: registration.load_samples(count=2, **here(e)),
    "user.deleted": lambda e: deletion.delete(user_ids=["ada"], **here(e)),
    "deletion.previewed": lambda e: deletion.preview(
        candidates=[(AppUser.objects.get(user_id="ada"), "why")], **here(e)
    ),
    "user.deactivated": lambda e: deactivation.deactivate(user_ids=["ada"], **by_api(e)),
    "user.reactivated": lambda e: deactivation.reactivate(user_ids=["gone"], **by_api(e)),
    "user.erased": lambda e: deactivation.erase_pending(now=NOON),
    "ban.imposed": lambda e: bans.impose(
        user_ids=["mallory"], expires_at=NOON + DAY, reason="spam", **here(e)
    ),
    "ban.changed": lambda e: bans.impose(
        user_ids=["banned"], expires_at=None, reason="again", **here(e)
    ),
    "ban.lifted": lambda e: bans.lift(user_ids=["banned"], **here(e)),
    "ban.expired": lambda e: ban_sweep.expire_due(now=NOON + 2 * DAY),
    "blocklist.added": lambda e: blocklist.add(owner_id="ada", listed_ids=["mallory"], **here(e)),
    "allowlist.switched": lambda e: switch_allowlist(owner_ids=["ada"], on=True, **here(e)),
    "mute.imposed": lambda e: mutes.impose(
        user_ids=["mallory"], channel=Mute.Channel.DIRECT, expires_at=None, **here(e)
    ),
    "mute.lifted": lambda e: mutes.lift(
        user_ids=["banned"], channel=Mute.Channel.DIRECT, **here(e)
    ),
    "friend.added": lambda e: friends.add(user_id="ada", friend_id="shy", direct=True, **here(e)),
    "friend.requested": lambda e: friends.add(user_id="ada", friend_id="shy", **here(e)),
    "friend.declined": lambda e: friends.answer(
        user_id="ada", sender_id="eager", accept=False, **here(e)
    ),
    "friend.removed": lambda e: friends.remove(user_id="ada", friend_ids=["pal"], **here(e)),
    "friend.described": lambda e: friends.describe(
        user_id="ada", friend_id="pal", alias="P", **here(e)
    ),
    "friend.permission_changed": lambda e: friend_permissions.change(
        user_ids=["ada"], permission=FriendPermission.NOBODY, **here(e)
    ),
    "profile.changed": lambda e: hosted_profiles.set_fields(
        user_id="ada", basic={"name": "Ada"}, **here(e)
    ),
    "profile.cleared": lambda e: hosted_profiles.clear(user_ids=["pal"], **here(e)),
    "attributes.changed": lambda e: attributes.merge(
        user_id="ada", values={"mood": "good"}, **here(e)
    ),
    "attributes.cleared": lambda e: attributes.clear(user_id="pal", **here(e)),
    "tags.changed": lambda e: tags.set_tags(user_ids=["ada"], tags=["vip"], **here(e)),
    "remarks.changed": lambda e: tags.set_remarks(owner_id="ada", remarks={"pal": "P"}, **here(e)),
}


@pytest.fixture
def environment(db):
    environment = make_environment()
    make_user(environment=environment, user_id="ada")
    make_connection(environment=environment, user_id="ada")
    make_deactivated(environment=environment, user_id="gone")
    make_deactivated(environment=environment, user_id="half-gone", erased_at=None)
    make_ban(environment=environment, user_id="banned")
    befriended(environment)
    return environment


def befriended(environment):
    """A friend, one who asked, one who wants to be asked; and what verbs may take away."""
    for user_id in ("pal", "eager", "shy"):
        make_user(environment=environment, user_id=user_id)
    at = here(environment)
    friends.add(user_id="ada", friend_id="pal", **at)
    friend_permissions.change(user_ids=["shy", "ada"], permission=FriendPermission.APPROVAL, **at)
    friends.add(user_id="eager", friend_id="ada", **at)
    hosted_profiles.set_fields(user_id="pal", basic={"name": "Pal"}, **at)
    attributes.merge(user_id="pal", values={"mood": "good"}, **at)
    mutes.impose(user_ids=["banned"], channel=Mute.Channel.DIRECT, expires_at=None, **at)


@pytest.fixture
def full_audit():
    """While it is entered, the database refuses every further line, whoever writes it."""

    @contextmanager
    def refusing():
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE applications_auditevent"
                " ADD CONSTRAINT full_audit CHECK (false) NOT VALID"
            )
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE applications_auditevent DROP CONSTRAINT full_audit")

    return refusing


@pytest.mark.parametrize("type", VERBS)
class TestEachChange:
    def test_leaves_one_line_that_says_who_what_and_when(self, environment, type):
        last = AuditEvent.objects.latest("pk").pk
        VERBS[type](environment)
        [line] = AuditEvent.objects.filter(pk__gt=last)
        assert line.type == type
        assert line.at >= NOON
        assert line.actor
        assert line.via
        if line.actor_kind == "staff":
            assert (line.actor, line.via, line.address) == ("grace", "console", "192.0.2.7")

    @pytest.mark.django_db(transaction=True)  # each verb makes its own transaction
    def test_stands_or_falls_with_its_line(self, environment, type, full_audit):
        before = state()
        with full_audit(), pytest.raises(IntegrityError, match="full_audit"):
            VERBS[type](environment)
        assert state() == before


class TestNoLine:
    def test_for_registrations_and_updates_by_api(self, environment):
        last = AuditEvent.objects.latest("pk").pk
        for name in ("New", "Newer"):
            registration.register(environment=environment, user_id="new", name=name, now=NOON)
        registration.register_new(
            environment=environment, users=[AppUser(user_id="newest")], now=NOON
        )
        assert AuditEvent.objects.latest("pk").pk == last

    def test_where_nothing_changes(self, environment):
        last = AuditEvent.objects.latest("pk").pk
        at = here(environment)
        bans.lift(user_ids=["ada"], **at)
        presence.kick(user_id="nobody", **at)
        profiles.update(user_id="ada", name="", **at)
        blocklist.remove(owner_id="ada", listed_ids=["bob"], **at)
        switch_allowlist(owner_ids=["ada"], on=False, **at)
        deactivation.reactivate(user_ids=["ada"], **by_api(environment))
        ban_sweep.expire_due(now=NOON)
        assert AuditEvent.objects.latest("pk").pk == last


class TestRecord:
    @pytest.mark.django_db(transaction=True)
    def test_outside_a_transaction_is_refused(self):
        environment = make_environment()
        with pytest.raises(OutsideTransaction):
            audit.record("ban.imposed", **here(environment))
        with transaction.atomic():
            audit.record("ban.imposed", **here(environment))

    def test_of_what_is_no_audit_type_is_refused(self, environment):
        with pytest.raises(ValueError, match=r"user.praised"):
            audit.record("user.praised", **here(environment))

    def test_of_many_changes_is_one_statement(self, environment, django_assert_num_queries):
        changes = [(f"user-{number}", None, {"n": number}) for number in range(50)]
        with django_assert_num_queries(2):  # the lines; which webhooks listen
            audit.record_many("user.deleted", changes=changes, **here(environment))


class TestActor:
    def test_is_who_asked_from_where_and_for_which_request(self, db):
        headers = {"X-Request-ID": '=HYPERLINK("x")' + "r" * 80}
        request = RequestFactory().get("/", headers=headers)
        request.user = make_account(username="grace")
        actor = acting_staff(request)
        assert (actor.kind, actor.name, actor.via) == ("staff", "grace", "console")
        assert (actor.address, actor.request_id) == ("127.0.0.1", "=HYPERLINKx" + "r" * 53)

    def test_has_no_address_rather_than_one_that_cannot_be_read(self, settings, db):
        """Of what a proxy writes, nothing may end in an error of the database."""
        settings.TRUSTED_PROXIES = 1
        account, environment = make_account(), make_environment()
        for forwarded, address in (("192.0.2.1:5678", "192.0.2.1"), ("unknown", None)):
            request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
            request.user = account
            at = {"environment": environment, "by": acting_staff(request), "now": NOON}
            with transaction.atomic():
                audit.record("ban.imposed", **at)
            assert AuditEvent.objects.latest("pk").address == address
