"""Django admin: support finds and reads everything, and no law can be walked around there."""

import json
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import audit_seals
from applications.admin_base import MOST_AT_ONCE
from applications.models import (
    Application,
    AppSecret,
    AuditCut,
    AuditEvent,
    AuditSeal,
    Environment,
    Member,
    Plan,
    Role,
    StaffSession,
    Webhook,
)
from moderation import bans
from moderation.lists import blocklist
from moderation.models import AllowlistEntry, Ban, BlocklistEntry, Mute, SweepRun
from rollcall.demo import sample_data
from tests import factories
from tests.factories import DAY, NOON
from users import tokens
from users.models import (
    AppUser,
    Attributes,
    Connection,
    DeletedUser,
    DeletionItem,
    DeletionJob,
    FriendRequest,
    Friendship,
    GatewayProcess,
    KickReport,
    LeaseRule,
    Message,
    Notice,
    Place,
    Profile,
    RegistrationTally,
    Remark,
    Status,
    StatusSubscription,
    UserTags,
)

MODELS = [
    model
    for storey in ("applications", "users", "moderation")
    for model in apps.get_app_config(storey).get_models()
]
# What may be done by hand at all; each goes through a verb.
OPEN = {Application: {"change"}, Environment: {"change"}, Member: {"add", "change", "delete"}}
OPEN[AppUser] = {"delete"}
CLOSED = [
    (model, act)
    for model in MODELS
    for act in ("add", "change", "delete")
    if act not in OPEN.get(model, set())
]

pytestmark = pytest.mark.django_db


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def superuser(client):
    account = factories.make_account(username="root", is_staff=True, is_superuser=True)
    client.force_login(account)
    return account


@pytest.fixture
def new_application():
    return factories.make_new_application(owner=factories.make_account(username="olga"))


@pytest.fixture
def development(new_application):
    return new_application.environments["development"]


@pytest.fixture
def production(new_application):
    return new_application.environments["production"]


@pytest.fixture
def records(development):
    """A row of every model, about alice and bob."""
    alice = factories.make_user(environment=development, user_id="alice")
    here = {"environment": development}
    owned = {**here, "owner_id": "alice"}
    gateway = factories.make_gateway()
    job = DeletionJob.objects.create(previewed_at=NOON, previewed_by="olga", **here)
    factories.make_deactivated(user_id="dora", **here)
    factories.make_connection(user_id="alice", gateway=gateway, **here)
    KickReport.objects.create(
        user_id="alice", gateway="g", kicked_at=NOON, closed_at=NOON, connections=1, **here
    )
    factories.make_ban(user_id="alice", **here)
    factories.make_entry(BlocklistEntry, listed_id="bob", **owned)
    factories.make_entry(AllowlistEntry, listed_id="bob", **owned)
    factories.make_switch(**owned)
    DeletionItem.objects.create(job=job, user_id="alice", life=alice.pk)
    RegistrationTally.objects.create(day=NOON.date(), shard=0, count=1, **here)
    Profile.objects.create(user=alice, version=1)
    DeletedUser.objects.create(
        user_id="gone", life=1, deleted_at=NOON, deleted_by="olga", kept="x", job=job, **here
    )
    Place.objects.create(user=alice, taken_by="olga", taken_via="console")
    LeaseRule.objects.create(
        prefix="ci-", lasts=factories.HOUR, added_at=NOON, added_by="olga", **here
    )
    Attributes.objects.create(size=0, **owned)
    UserTags.objects.create(**owned)
    Remark.objects.create(about_id="bob", text="Bobby", **owned)
    Status.objects.create(text="away", changed_at=NOON, **owned)
    StatusSubscription.objects.create(about_id="bob", expires_at=NOON, **owned)
    Friendship.objects.create(friend_id="bob", added_at=NOON, **owned)
    FriendRequest.objects.create(sender_id="alice", recipient_id="bob", requested_at=NOON, **here)
    Message.objects.create(
        sender_id="alice", recipient_id="bob", client_id="1", body="psst", sent_at=NOON, **here
    )
    Notice.objects.create(
        sender_id="alice", recipient_id="bob", kind="friend_added", posted_at=NOON, **here
    )
    Mute.objects.create(user_id="alice", channel="room", imposed_at=NOON, imposed_by="olga", **here)
    SweepRun.objects.create(pk=1, ran_at=NOON, closed=0)
    audit_seals.seal_next(now=NOON)
    AuditCut.objects.create(
        number=1,
        made_at=NOON,
        first_seal=1,
        last_seal=1,
        lines=1,
        sealed_until=NOON,
        kept=30 * DAY,
    )
    webhook = Webhook.objects.create(
        url="https://hooks.example/",
        secret="box",
        created_at=NOON,
        created_by="olga",
        next_turn_at=NOON,
        **here,
    )
    factories.make_delivery(webhook=webhook)
    StaffSession.objects.create(
        account=factories.make_account(username="sid"),
        session_key="hash",
        expire_date=NOON,
        signed_in_at=NOON,
        last_used_at=NOON,
    )
    return {model: model._default_manager.order_by("pk").first() for model in MODELS}


@pytest.mark.parametrize("model", MODELS)
class TestEveryModel:
    def test_is_registered_and_opens(self, model, records, superuser, client):
        assert admin.site.is_registered(model)
        assert client.get(page(model, "changelist")).status_code == 200
        assert client.get(page(model, "change", records[model].pk)).status_code == 200

    def test_offers_no_bulk_deletion(self, model, records, superuser, client):
        client.post(
            page(model, "changelist"),
            {"action": "delete_selected", "_selected_action": records[model].pk, "post": "yes"},
        )
        assert model._default_manager.filter(pk=records[model].pk).exists()


@pytest.mark.parametrize(
    "model",
    sorted(
        {*MODELS} - {GatewayProcess, SweepRun, Member, AuditSeal, AuditCut, StaffSession}, key=str
    ),
)
def test_what_belongs_to_an_environment_is_found_by_app_key(
    model, records, development, superuser, client
):
    found = client.get(page(model, "changelist"), {"q": development.app_key}).context["cl"]
    # The one audit line so far is of the application.
    assert found.result_count == (0 if model is AuditEvent else 1)


def test_no_list_takes_more_queries_for_more_rows(superuser, client):
    sample_data.create(now=NOON)
    for model in MODELS:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page(model, "changelist")).status_code == 200
        assert len(queries) <= 8, model


@pytest.mark.parametrize(("model", "act"), CLOSED)
def test_a_superuser_cannot_do_by_hand_what_no_page_offers(model, act, records, superuser, client):
    row = records[model]
    before = model._default_manager.filter(pk=row.pk).values().get()
    count = model._default_manager.count()
    args = [] if act == "add" else [row.pk]
    answer = client.post(page(model, act, *args), {"post": "yes", "_save": "Save", **_text(before)})
    assert answer.status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before
    assert model._default_manager.count() == count


def _text(values):
    return {name: f"{value}x" for name, value in values.items() if value is not None}


class TestAppUser:
    def test_deletion_in_development_takes_everything_along(
        self, records, superuser, development, client
    ):
        token = tokens.issue(records[AppUser], now=NOON)
        answer = client.post(page(AppUser, "delete", records[AppUser].pk), {"post": "yes"})
        assert answer.status_code == 302
        assert not Ban.objects.exists()
        assert not BlocklistEntry.objects.exists()
        with pytest.raises(tokens.TokenRevoked):
            tokens.authenticate(environment=development, token=token, now=NOON)
        line = AuditEvent.objects.get(type="user.deleted")
        assert (line.subject, line.actor, line.via) == ("alice", "root", "admin")

    def test_nobody_is_deleted_in_production(self, production, superuser, client):
        user = factories.make_user(environment=production)
        assert client.get(page(AppUser, "delete", user.pk)).status_code == 403
        assert client.post(page(AppUser, "delete", user.pk), {"post": "yes"}).status_code == 403
        assert AppUser.objects.filter(pk=user.pk).exists()

    def test_the_quota_cannot_be_walked_around(self, development, superuser, client):
        factories.make_users(environment=development, count=100)
        answer = client.post(
            page(AppUser, "add"), {"environment": development.pk, "user_id": "one-more"}
        )
        assert answer.status_code == 403
        assert AppUser.objects.count() == 100

    def test_signs_out_everywhere(self, records, superuser, development, client):
        token = tokens.issue(records[AppUser], now=NOON)
        client.post(
            page(AppUser, "changelist"),
            {"action": "sign_out_everywhere", "_selected_action": records[AppUser].pk},
        )
        with pytest.raises(tokens.TokenRevoked):
            tokens.authenticate(environment=development, token=token, now=NOON)
        assert Connection.objects.get().kick_reason == "signed out"

    def test_an_action_on_too_many_does_nothing(self, development, superuser, client):
        users = factories.make_users(environment=development, count=MOST_AT_ONCE + 1)
        answer = client.post(
            page(AppUser, "changelist"),
            {
                "action": "sign_out_everywhere",
                "_selected_action": users[0].pk,
                "select_across": "1",
            },
            follow=True,
        )
        assert f"At most {MOST_AT_ONCE} at once" in answer.content.decode()
        assert not AppUser.objects.exclude(tokens_valid_from=None).exists()


class TestEnvironment:
    def settings(self, environment, **changes):
        settings = {
            "plan": environment.plan,
            "token_lifetime": "",
            "reactivation_cooling_off": "0",
            "vendor_settings": json.dumps(environment.vendor_settings),
        }
        return {**settings, **changes}

    def test_the_plan_changes_by_the_verb(self, production, superuser, client):
        answer = client.post(
            page(Environment, "change", production.pk), self.settings(production, plan="pro")
        )
        assert answer.status_code == 302
        production.refresh_from_db()
        assert production.plan == Plan.PRO
        line = AuditEvent.objects.get(type="environment.changed")
        assert line.after == {"plan": "pro"}

    def test_a_vendors_settings_change_by_the_verb_and_what_is_taken_out_is_as_by_default(
        self, superuser, client
    ):
        former = {"agora": {"require_password": False, "open_registration": True}}
        production = factories.make_environment(kind="production", vendor_settings=former)
        wanted = json.dumps({"agora": {"open_registration": True, "error_dialect": "easemob"}})
        address = page(Environment, "change", production.pk)
        client.post(address, self.settings(production, vendor_settings=wanted))
        production.refresh_from_db()
        assert production.vendor_settings == json.loads(wanted)
        line = AuditEvent.objects.get(type="environment.changed")
        assert line.after == {"agora_require_password": "True", "agora_error_dialect": "easemob"}
        for wrong in ("[]", '{"agora": 1}', '{"nobody": {}}', '{"agora": {"shoe_size": 42}}'):
            answer = client.post(address, self.settings(production, vendor_settings=wrong))
            assert answer.status_code == 200
            assert "errorlist" in answer.content.decode()

    def test_development_keeps_its_limit(self, development, superuser, client):
        client.post(
            page(Environment, "change", development.pk), self.settings(development, plan="pro")
        )
        development.refresh_from_db()
        assert development.user_limit == 100

    def test_what_is_out_of_bounds_is_said_beside_its_field(self, production, superuser, client):
        answer = client.post(
            page(Environment, "change", production.pk),
            self.settings(production, token_lifetime="1"),
        )
        assert "token_lifetime" in answer.context["adminform"].form.errors

    def test_its_key_cannot_be_changed(self, production, superuser, client):
        client.post(
            page(Environment, "change", production.pk),
            self.settings(production, app_key="0" * 32, kind="development"),
        )
        assert Environment.objects.filter(pk=production.pk, app_key=production.app_key).exists()


class TestApplication:
    def test_is_renamed_by_the_verb(self, new_application, superuser, client):
        pk = new_application.application.pk
        client.post(page(Application, "change", pk), {"name": "Warble"})
        assert Application.objects.get().name == "Warble"
        assert AuditEvent.objects.get(type="application.renamed").via == "admin"

    def test_a_refusal_is_said_and_changes_nothing(self, new_application, superuser, client):
        pk = new_application.application.pk
        answer = client.post(page(Application, "change", pk), {"name": "a\tb"}, follow=True)
        assert "characters on one line" in answer.content.decode()
        assert Application.objects.get().name == "Chirp"

    def test_is_found_by_the_beginning_of_its_org_name(self, new_application, superuser, client):
        for text, number in (("Chi", 1), ("hirp", 0)):
            found = client.get(page(Application, "changelist"), {"q": text})
            assert found.context["cl"].result_count == number


class TestMember:
    def test_is_added_by_the_verb(self, new_application, superuser, client):
        account = factories.make_account(username="ivan")
        answer = client.post(
            page(Member, "add"),
            {
                "application": new_application.application.pk,
                "account": account.pk,
                "role": "tester",
            },
        )
        assert answer.status_code == 302
        assert Member.objects.get(account=account).added_by == "root"
        assert AuditEvent.objects.get(type="member.added").subject == "ivan"

    def test_the_last_owner_stays_owner(self, new_application, superuser, client):
        owner = Member.objects.get()
        answer = client.post(page(Member, "change", owner.pk), {"role": "viewer"}, follow=True)
        assert "needs an owner" in answer.content.decode()
        answer = client.post(page(Member, "delete", owner.pk), {"post": "yes"}, follow=True)
        assert "needs an owner" in answer.content.decode()
        assert Member.objects.get().role == Role.OWNER

    def test_others_change_and_leave(self, new_application, superuser, client):
        member = factories.make_member(application=new_application.application, role=Role.TESTER)
        client.post(page(Member, "change", member.pk), {"role": "viewer"})
        assert Member.objects.get(pk=member.pk).role == Role.VIEWER
        client.post(page(Member, "delete", member.pk), {"post": "yes"})
        assert not Member.objects.filter(pk=member.pk).exists()
        assert AuditEvent.objects.filter(type="member.removed").count() == 1

    def test_does_not_go_with_the_account(self, new_application, superuser, client):
        owner = Member.objects.get().account
        accounts = get_user_model()
        assert client.post(page(accounts, "delete", owner.pk), {"post": "yes"}).status_code == 403
        answer = client.post(
            page(accounts, "changelist"),
            {"action": "delete_selected", "_selected_action": owner.pk, "post": "yes"},
        )
        assert answer.status_code == 403
        assert Member.objects.exists()


class TestBan:
    def test_is_lifted_by_the_verb(self, records, superuser, client, time_machine):
        time_machine.move_to(NOON, tick=False)
        client.post(
            page(Ban, "changelist"), {"action": "lift", "_selected_action": records[Ban].pk}
        )
        ban = Ban.objects.get()
        assert (ban.outcome, ban.closed_by, ban.closed_via) == ("lifted", "root", "admin")

    def test_that_is_over_is_left_to_the_sweep(self, records, superuser, client, time_machine):
        time_machine.move_to(NOON + timedelta(days=2), tick=False)
        client.post(
            page(Ban, "changelist"), {"action": "lift", "_selected_action": records[Ban].pk}
        )
        assert Ban.objects.get().closed_at is None


class TestAppSecret:
    def test_neither_page_nor_filter_tells_it(self, new_application, superuser, client):
        secret = AppSecret.objects.first()
        detail = client.get(page(AppSecret, "change", secret.pk)).content.decode()
        assert secret.ciphertext not in detail
        guess = client.get(page(AppSecret, "changelist"), {"ciphertext__startswith": "g"})
        assert guess.status_code == 400

    def test_messages_are_not_read_either(self, records, superuser, client):
        assert (
            "psst" not in client.get(page(Message, "change", records[Message].pk)).content.decode()
        )


class TestAddressesMadeUpByHand:
    @pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
    def test_are_no_crash_on_any_list(self, model, superuser, client):
        filters = (f"{name}__exact" for name in admin.site._registry[model].list_filter)
        queries = [
            *({"q": word} for word in ("x", "x y", "\0", "é" * 300)),
            *({"p": number} for number in ("99999", "0", "-1", "x", "9" * 30)),
            *({"o": order} for order in ("1", "-99.1", "x")),
            *({name: "x"} for name in ("nothing", "pk", "pk__in", "environment__application", "e")),
            *({name: value} for name in filters for value in ("nothing", "\0")),
            {"all": ""},
        ]
        answers = {str(query): client.get(page(model, "changelist"), query) for query in queries}
        answers |= {name: client.get(page(model, "change", name)) for name in ("0", "x", "_00")}
        crashed = [what for what, answer in answers.items() if answer.status_code >= 500]
        assert crashed == []


class TestScale:
    @pytest.fixture
    def many(self, production):
        factories.make_users(environment=production, count=10_500)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def test_a_list_of_many_counts_no_further_than_its_bound(self, many, superuser, client):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(page(AppUser, "changelist"))
        counts = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
        assert counts
        assert all("LIMIT 10001" in sql for sql in counts)
        assert len(queries) <= 8
        assert "Only the first 10,000 app users are listed" in answer.content.decode()
        assert "Select all more than 10,000 app users" in answer.content.decode()
        assert client.get(page(AppUser, "changelist"), {"p": 201}).status_code == 302

    @pytest.mark.parametrize("word", ["user-00042", "user-0004"])
    def test_a_search_goes_through_the_index(self, word, many, superuser, client):
        found = client.get(page(AppUser, "changelist"), {"q": word}).context["cl"]
        assert {user.user_id[: len(word)] for user in found.result_list} == {word}
        used = r"users_appuser_unique_id[^\n]*\n +Index Cond: [^\n]*user_id\)::text >= "
        assert re.search(used, found.queryset.explain())


class TestPermissions:
    def test_staff_see_what_django_lets_them_and_change_nothing_more(self, records, client):
        account = factories.make_account(is_staff=True)
        client.force_login(account)
        assert client.get(page(Ban, "changelist")).status_code == 403
        account.user_permissions.add(Permission.objects.get(codename="view_ban"))
        answer = client.get(page(Ban, "changelist"))
        assert answer.status_code == 200
        assert not answer.context["cl"].model_admin.get_actions(answer.wsgi_request)
        client.post(
            page(Ban, "changelist"), {"action": "lift", "_selected_action": records[Ban].pk}
        )
        assert Ban.objects.get().closed_at is None

    def test_members_who_are_no_staff_are_sent_to_sign_in(self, new_application, client):
        client.force_login(Member.objects.get().account)
        assert client.get(page(Ban, "changelist")).status_code == 302


class TestAnAccount:
    """Law 31 for what Django admin does to a member's account."""

    def test_that_is_given_more_or_less_is_in_the_audit_trail(self, superuser, client):
        account = factories.make_member(application=factories.make_application()).account
        change = page(get_user_model(), "change", account.pk)
        fields = {"username": "renamed", "is_staff": "on", "email": "a@example.com"}
        joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00"}
        assert client.post(change, {**fields, **joined}).status_code == 302
        line = AuditEvent.objects.get(type="member.account_changed")
        assert (line.actor, line.via, line.subject) == ("root", "admin", "renamed")
        assert line.before == {
            "username": account.username,
            "is_active": True,
            "is_staff": False,
        }
        assert line.after == {"username": "renamed", "is_active": False, "is_staff": True}

    @pytest.mark.parametrize(("again", "lines"), [("a long new phrase", 1), ("another", 0)])
    def test_whose_password_is_set_is_in_the_audit_trail(self, superuser, client, again, lines):
        account = factories.make_member(application=factories.make_application()).account
        url = reverse("admin:auth_user_password_change", args=[account.pk])
        fields = {"password1": "a long new phrase", "password2": again, "usable_password": "true"}
        assert client.get(url).status_code == 200
        client.post(url, fields)
        found = AuditEvent.objects.filter(type="member.password_changed", actor="root")
        assert [line.subject for line in found] == [account.username] * lines
        assert "long new" not in str(AuditEvent.objects.values_list())


def test_a_users_page_shows_bans_lists_timeline_and_the_way_to_the_console(
    superuser, client, environment
):
    factories.make_user(environment=environment, user_id="mia")
    bans.impose(
        environment=environment,
        user_ids=["mia"],
        expires_at=None,
        reason="spam",
        by=factories.staff_actor(),
        now=NOON,
    )
    blocklist.add(
        environment=environment,
        owner_id="mia",
        listed_ids=["ben"],
        by=factories.staff_actor(),
        now=NOON,
    )
    user = AppUser.objects.get(user_id="mia")
    page = client.get(reverse("admin:users_appuser_change", args=[user.pk])).text
    assert "in force, until lifted, by grace: spam" in page
    assert "1 on it" in page
    assert "2 Mar 2026, 12:00:00 UTC ban.imposed by grace" in page
    assert "/console/chirp" in page


def test_bans_are_filtered_within_an_environment(superuser, client, environment):
    factories.make_ban(environment=environment, user_id="ben", expires_at=None)
    bans.lift(environment=environment, user_ids=["ben"], by=factories.staff_actor(), now=NOON)
    factories.make_ban(environment=environment, user_id="mia", expires_at=None)
    url = reverse("admin:moderation_ban_changelist")
    for state, found in (("lifted", {"ben"}), ("in_force", {"mia"})):
        page = client.get(url, {"q": environment.app_key, "state": state})
        assert {ban.user_id for ban in page.context["cl"].result_list} == found
    # Without an app key no index would serve it.
    assert len(client.get(url, {"state": "lifted"}).context["cl"].result_list) == 2
