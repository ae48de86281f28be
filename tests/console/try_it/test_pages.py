"""The page "Try it" without a browser: the server's responses and the tokens it issues."""

import pytest

from applications.models import FREE_USER_LIMIT, AuditEvent, Plan, Role
from moderation.lists import blocklist
from tests.console.pages import address, sign_in
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_ban,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
    staff_actor,
)
from users import tokens
from users.models import AppUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon", "member")]


def ask_for_token(client, environment, user_id):
    return client.post(address("try_it:token", environment), {"user_id": user_id})


def standings(client, environment, **chosen):
    response = client.get(address("try_it:index", environment), chosen)
    return [pane.standing for pane in response.context["panes"]]


class TestToken:
    def test_registers_an_unknown_id_with_a_token_for_an_hour(self, client, environment):
        answer = ask_for_token(client, environment, "mia")
        token = answer.json()["token"]
        ask = {"environment": environment, "token": token}
        assert tokens.authenticate(**ask, now=NOON + HOUR - MINUTE).user_id == "mia"
        with pytest.raises(tokens.TokenExpired):
            tokens.authenticate(**ask, now=NOON + HOUR)
        assert "no-store" in answer["Cache-Control"]
        assert AuditEvent.objects.get(subject="mia").type == "user.registered"

    def test_of_a_known_user_is_recorded_in_the_audit_without_its_text(self, client, environment):
        make_user(environment=environment, user_id="mia")
        token = ask_for_token(client, environment, "mia").json()["token"]
        event = AuditEvent.objects.get(subject="mia")
        assert event.type == "user.token_issued"
        assert token not in str((event.before, event.after))

    def test_expires_no_later_than_the_environments_token_lifetime(self, client, environment):
        environment.token_lifetime = MINUTE
        environment.save()
        token = ask_for_token(client, environment, "mia").json()["token"]
        with pytest.raises(tokens.TokenExpired):
            tokens.read(token, now=NOON + MINUTE)

    def test_is_refused_with_the_reason(self, client, environment):
        make_deactivated(environment=environment, user_id="gone")
        make_users(environment=environment, count=FREE_USER_LIMIT)
        for user_id, reason in (("gone", "deactivated"), ("a b", "Latin letters"), ("new", "100")):
            answer = ask_for_token(client, environment, user_id)
            assert answer.status_code == 422
            assert reason in answer.json()["error"]
        assert AppUser.objects.filter(environment=environment).count() == FREE_USER_LIMIT

    def test_is_not_issued_in_production(self, client):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment)
        assert ask_for_token(client, environment, "mia").status_code == 409
        assert not AppUser.objects.filter(environment=environment).exists()


class TestPage:
    def test_shows_the_answers_of_the_gates(self, client, environment):
        for user_id in ("mia", "ben"):
            make_user(environment=environment, user_id=user_id)
        make_ban(environment=environment, user_id="ben")
        blocklist.add(
            environment=environment,
            owner_id="ben",
            listed_ids=["mia"],
            by=staff_actor(),
            now=NOON,
        )
        mia, ben = standings(client, environment, a="mia", b="ben")
        assert (mia.connect.rule, mia.message.rule) == ("registered", "blocked")
        assert (ben.connect.rule, ben.message.rule) == ("banned", "banned")
        assert ben.blocks_other
        assert not mia.blocks_other

    def test_starts_with_the_newest_users_or_samples(self, client, environment):
        panes = client.get(address("try_it:index", environment)).context["panes"]
        assert [pane.user_id for pane in panes] == ["sample-01", "sample-02"]
        make_user(environment=environment, user_id="mia")
        panes = client.get(address("try_it:index", environment), {"b": "ben"}).context["panes"]
        assert [pane.user_id for pane in panes] == ["mia", "ben"]

    @pytest.mark.parametrize("odd", ["", "a b", "\0", "..", "x" * 65])
    def test_accepts_any_text_as_an_id(self, client, environment, odd):
        assert standings(client, environment, a=odd, b="ben")[0] is None

    def test_gives_htmx_only_the_requesting_pane(self, client, environment):
        headers = {"HX-Request": "true", "HX-Target": "standing-b"}
        url = address("try_it:index", environment)
        response = client.get(url, {"a": "mia", "b": "ben"}, headers=headers)
        assert response.context["pane"].user_id == "ben"
        assert [each.name for each in response.templates][:1] == ["console/try_it/_state.html"]

    def test_disables_controls_for_a_viewer(self, client, environment):
        sign_in(client, environment, Role.VIEWER)
        assert "Needs role tester" in client.get(address("try_it:index", environment)).text

    def test_is_refused_in_production_with_the_reason(self, client):
        environment = make_environment(kind="production")
        sign_in(client, environment)
        response = client.get(address("try_it:index", environment))
        assert response.status_code == 409
        assert "Try it exists in development only" in response.text
