"""The page "Why?": what it reads, what it answers, and what it offers to do."""

import pytest

from applications import request_log
from applications.models import AuditEvent, Role
from applications.request_log import LoggedCall
from moderation import bans
from moderation.models import BlocklistEntry, Mute
from tests.console.pages import sign_in, url
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_application,
    make_ban,
    make_deactivated,
    make_delivery,
    make_entry,
    make_environment,
    make_switch,
    make_token,
    make_user,
    make_webhook,
    staff_actor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


def get(client, environment, **query):
    return client.get(url(environment, "why/", **query))


def asked(client, environment, text, path="why/"):
    return client.post(url(environment, path), {"q": text}, follow=True)


@pytest.fixture
def mia(environment):
    return make_user(environment=environment, user_id="mia", name="Mia")


def deciding(response):
    """The step that decides, with its button."""
    [row] = [row for _, rows in response.context["answers"] for row in rows if row.decides]
    return row


@pytest.mark.usefixtures("member", "mia")
class TestReads:
    def test_a_user_id(self, client, environment):
        response = get(client, environment, q=" mia ")
        assert response.context["subject"].kind == "user"
        assert "Can mia connect?" in response.text

    @pytest.mark.parametrize("text", ["mia bob", "mia, bob", "mia;bob", "mia\nbob"])
    def test_two_user_ids_in_both_directions(self, client, environment, text):
        response = get(client, environment, q=text)
        questions = [answer.question for answer, _ in response.context["answers"]]
        assert questions == ["May mia write to bob?", "May bob write to mia?"]

    def test_an_access_token_without_putting_it_into_an_address(self, client, environment, mia):
        token = make_token(mia)
        response = asked(client, environment, token)
        assert response.redirect_chain == []
        assert response.context["answers"][0][0].allowed
        fragment = client.post(url(environment, "why/"), {"q": token}, headers=HTMX)
        assert "HX-Push-Url" not in fragment
        assert "no-store" in fragment["Cache-Control"]

    def test_a_text_that_is_no_secret_at_its_own_address(self, client, environment):
        response = asked(client, environment, "mia")
        assert response.redirect_chain == [(url(environment, "why/", q="mia"), 302)]

    def test_an_app_key(self, client, environment):
        response = get(client, environment, q=environment.app_key)
        assert response.context["subject"].kind == "app_key"
        assert response.context["answers"][0][0].allowed

    def test_an_app_key_of_somebody_else_as_if_it_did_not_exist(self, client, environment):
        theirs = make_application(name="Secret").environments.first()
        response = get(client, environment, q=theirs.app_key)
        nobodys = get(client, environment, q="0" * 32)
        assert "belongs to no environment that you can see" in response.text
        assert response.text.replace(theirs.app_key, "0" * 32).count("Secret") == 0
        assert "belongs to no environment that you can see" in nobodys.text

    def test_a_webhook_delivery(self, client, environment):
        webhook = make_webhook(environment=environment)
        delivery = make_delivery(webhook=webhook, state="failed", error="refused", attempts=3)
        delivery.message_id = "msg_0123456789abcdef01234567"
        delivery.save()
        response = get(client, environment, q=delivery.message_id)
        assert deciding(response).mend.label == "Send it again"
        assert "Given up after 3 attempts" in response.text
        elsewhere = make_environment(application=environment.application, kind="production")
        assert "No such delivery" in get(client, elsewhere, q=delivery.message_id).text

    def test_a_request_id(self, client, environment):
        by = staff_actor()
        bans.impose(
            environment=environment,
            user_ids=["mia"],
            expires_at=None,
            reason="",
            by=type(by)(**{**by.__dict__, "request_id": "req:7/x"}),
            now=NOON,
        )
        response = get(client, environment, q="req:7/x")
        assert response.context["subject"].kind == "request"
        assert "What this request changed" in response.text

    def test_a_request_that_was_refused_and_changed_nothing(self, client, environment, monkeypatch):
        call = LoggedCall(
            *(NOON.timestamp(), "nexconn", "user/ban", "POST", "/v4/user/ban", 401, "1004"),
            *(3.2, "req-9", "", "192.0.2.7"),
        )
        monkeypatch.setattr(request_log, "lately", lambda _: request_log.Lately([call]))
        response = get(client, environment, q="req-9")
        assert response.context["subject"].kind == "request"
        assert "HTTP 401, code 1004" in response.text
        assert deciding(response).step.rule == "secret"

    def test_what_it_could_be_as_well(self, client, environment):
        AuditEvent.objects.create(
            at=NOON,
            type="ban.lifted",
            application=environment.application,
            environment=environment,
            subject="bob",
            actor_kind="staff",
            actor="grace",
            via="console",
            request_id="mia",
        )
        response = get(client, environment, q="mia")
        assert [each["label"] for each in response.context["others"]] == ["a request id"]
        chosen = client.get(response.context["others"][0]["url"])
        assert chosen.context["subject"].kind == "request"

    @pytest.mark.parametrize("text", ["%", "a\0b", "نعم " * 9, "a b c", "\ud800", "x" * 10_000])
    def test_anything_else_with_an_answer(self, client, environment, text):
        text = text.encode(errors="replace").decode()
        assert asked(client, environment, text).status_code == 200

    def test_an_unknown_id_with_an_answer(self, client, environment):
        response = get(client, environment, q="nobody")
        assert response.status_code == 200
        assert "nobody is not registered" in response.text


class TestMends:
    @pytest.mark.parametrize(
        ("role", "may"), [(Role.MODERATOR, True), (Role.VIEWER, False)], ids=str
    )
    def test_are_buttons_where_the_role_allows_it(self, client, environment, role, may):
        sign_in(client, environment, role)
        make_ban(environment=environment, user_id="mia")
        row = deciding(get(client, environment, q="mia"))
        assert (row.mend.label, row.allowed) == ("Lift the ban", may)

    def test_lifting_the_ban_moves_the_answer_on(self, client, environment, member, mia):
        make_ban(environment=environment, user_id="mia")
        row = deciding(get(client, environment, q="mia"))
        client.post(row.mend.url, row.mend.fields)
        assert get(client, environment, q="mia").context["answers"][0][0].allowed

    @pytest.mark.parametrize("rule", ["muted", "not_friends", "not_on_allowlist", "blocked"])
    def test_of_two_users_each_let_the_message_through(
        self, client, environment, member, mia, rule
    ):
        make_user(environment=environment, user_id="bob")
        _refuse(environment, rule)
        first = get(client, environment, q="mia bob")
        [row] = [row for row in first.context["answers"][0][1] if row.decides]
        assert row.step.rule == rule
        client.post(row.mend.url, row.mend.fields, headers=HTMX)
        assert get(client, environment, q="mia bob").context["answers"][0][0].allowed

    def test_of_a_token_of_the_other_environment_asks_there(self, client, environment, member):
        there = make_environment(application=environment.application, kind="production")
        token = make_token(make_user(environment=there, user_id="mia"))
        row = deciding(asked(client, environment, token))
        assert row.mend.passes_question
        assert asked(client, there, token).context["answers"][0][0].allowed
        assert row.mend.url == url(there, "why/")

    def test_of_a_deactivated_id_is_the_call_that_reactivates(self, client, environment, member):
        make_deactivated(environment=environment, user_id="mia")
        assert deciding(get(client, environment, q="mia")).mend.is_dialog


def _refuse(environment, rule):
    match rule:
        case "muted":
            Mute.objects.create(
                environment=environment,
                user_id="mia",
                channel="direct",
                imposed_at=NOON - HOUR,
                imposed_by="grace",
                expires_at=NOON + DAY,
            )
        case "not_friends":
            environment.friends_only = True
            environment.save()
        case "not_on_allowlist":
            make_switch(environment=environment, owner_id="bob")
        case "blocked":
            make_entry(BlocklistEntry, environment=environment, owner_id="bob", listed_id="mia")


@pytest.mark.usefixtures("member")
class TestJson:
    def test_has_every_rule_with_its_evidence(self, client, environment):
        make_ban(environment=environment, user_id="mia", expires_at=NOON + DAY)
        answer = client.get(url(environment, "why.json", q="mia")).json()["answers"][0]
        assert (answer["allowed"], answer["rule"]) == (False, "banned")
        step = answer["steps"][0]
        assert step["state"] == "no"
        assert step["facts"]["until"] == (NOON + DAY).isoformat()
        assert step["mend"]["needs"] == "moderate"

    def test_of_a_token_does_not_repeat_the_token(self, client, environment):
        token = make_token(make_user(environment=environment))
        response = client.post(url(environment, "why.json"), {"q": token})
        assert response.json()["subject"]["kind"] == "token"
        assert token not in response.text

    def test_without_a_question_is_422(self, client, environment):
        assert client.get(url(environment, "why.json")).status_code == 422
