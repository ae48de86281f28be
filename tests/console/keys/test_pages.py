import re

import pytest

from applications import app_secrets, environments
from applications.models import AuditEvent
from applications.vendors import vendors
from tests.console.pages import address, sign_in
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_connection,
    make_environment,
    make_token,
    make_user,
    staff_actor,
)
from users import tokens

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def environment(client):
    environment = make_environment(kind="production")
    sign_in(client, environment)
    return environment


def revoke(client, environment, secret, confirm):
    url = address("keys:revoke", environment, secret.pk)
    return client.post(url, {"confirm": confirm}, follow=True)


class TestSecretAdd:
    def test_shows_the_new_secret_once(self, client, environment):
        response = client.post(address("keys:add", environment))
        new = environment.secrets.last()
        text = app_secrets.text(new)
        assert response.status_code == 201
        assert text in response.text
        assert "no-store" in response["Cache-Control"]
        later = client.get(address("keys:index", environment))
        assert text not in later.text
        assert f"…{new.hint}" in later.text

    def test_refuses_a_third_secret(self, client, environment):
        for _ in range(2):
            response = client.post(address("keys:add", environment), follow=True)
        assert "Two secrets are already live" in response.text
        assert environment.secrets.count() == 2

    def test_never_shows_a_stored_secret(self, client, environment):
        [secret] = environment.secrets.all()
        page = client.get(address("keys:index", environment))
        assert app_secrets.text(secret) not in page.text

    def test_names_it_and_lets_the_other_one_end(self, client, environment):
        form = {"name": "payments", "others_end": "24"}
        assert client.post(address("keys:add", environment), form).status_code == 201
        old, new = environment.secrets.order_by("pk")
        assert (new.name, new.ends_at, old.ends_at) == ("payments", None, NOON + DAY)

    def test_says_by_which_call_and_from_where_a_secret_was_used(self, client, environment):
        app_secrets.note_use(environment.secrets.get(), via="a call", address="192.0.2.9", now=NOON)
        page = client.get(address("keys:index", environment)).text
        assert "a call from 192.0.2.9" in page


class TestRollBack:
    @pytest.fixture
    def secrets(self, client, environment):
        client.post(address("keys:add", environment), {"others_end": "1"})
        return list(environment.secrets.order_by("pk"))

    def test_keeps_the_old_secret_and_revokes_the_new_one(self, client, environment, secrets):
        old, new = secrets
        client.post(address("keys:roll_back", environment), {"confirm": new.hint})
        old.refresh_from_db()
        assert list(environment.secrets.live()) == [old]
        assert old.ends_at is None

    def test_changes_nothing_if_the_typed_text_is_wrong(self, client, environment, secrets):
        response = client.post(address("keys:roll_back", environment), {"confirm": "yes"})
        assert response.status_code == 422
        assert environment.secrets.live().count() == 2

    def test_is_over_when_the_old_secret_has_ended(self, client, environment, secrets, at_noon):
        at_noon.move_to(NOON + HOUR)
        sign_in(client, environment)
        url = address("keys:roll_back", environment)
        assert "nothing to roll back" in client.get(url, follow=True).text

    def test_is_not_needed_where_no_secret_ends(self, client, environment):
        url = address("keys:roll_back", environment)
        assert "nothing to roll back" in client.get(url, follow=True).text

    def test_the_newer_one_cannot_be_revoked_alone(self, client, environment, secrets):
        [_, new] = secrets
        assert "Roll back to it" in revoke(client, environment, new, new.hint).text
        assert environment.secrets.live().count() == 2


class TestSecretRevoke:
    @pytest.fixture
    def secrets(self, client, environment):
        client.post(address("keys:add", environment))
        return list(environment.secrets.order_by("pk"))

    def test_revokes_the_chosen_secret(self, client, environment, secrets):
        old, new = secrets
        revoke(client, environment, old, old.hint)
        assert list(environment.secrets.live()) == [new]

    def test_revokes_nothing_if_the_typed_text_is_wrong(self, client, environment, secrets):
        response = revoke(client, environment, secrets[0], "yes")
        assert response.status_code == 422
        assert "Nothing was revoked" in response.text
        assert environment.secrets.live().count() == 2

    def test_keeps_the_last_one(self, client, environment):
        [only] = environment.secrets.all()
        response = revoke(client, environment, only, only.hint)
        assert "The only live secret cannot be revoked" in response.text
        assert environment.secrets.live().count() == 1

    def test_says_if_it_is_already_revoked(self, client, environment, secrets):
        old, _ = secrets
        revoke(client, environment, old, old.hint)
        assert "already revoked" in revoke(client, environment, old, old.hint).text

    def test_finds_only_secrets_of_its_environment(self, client, environment):
        foreign = make_environment().secrets.get()
        url = address("keys:revoke", environment, foreign.pk)
        assert client.get(url).status_code == 404


class TestTokensRevokeAll:
    def test_revokes_tokens_and_closes_connections_after_the_name_is_typed(
        self, client, environment
    ):
        user = make_user(environment=environment)
        token = make_token(user, now=NOON.replace(hour=11))
        connection = make_connection(environment=environment, user_id=user.user_id)
        url = address("keys:revoke_tokens", environment)
        assert client.post(url, {"confirm": "production"}).status_code == 422
        tokens.authenticate(environment=environment, token=token, now=NOON)
        client.post(url, {"confirm": f"{environment.application.org_name}/production"})
        environment.refresh_from_db()
        with pytest.raises(tokens.TokenRevoked):
            tokens.authenticate(environment=environment, token=token, now=NOON)
        connection.refresh_from_db()
        assert connection.kicked_at == NOON
        assert AuditEvent.objects.filter(type="tokens.revoked").count() == 1


class TestRateLimitsChange:
    def save(self, client, environment, **rates):
        response = client.post(address("keys:rates", environment), rates)
        environment.refresh_from_db()
        return response

    def test_stores_only_limits_that_differ_from_the_vendors(self, client, environment):
        environments.change(
            environment=environment,
            vendor_settings={"agora": {"rate_limits": {"POST users": 7}}},
            by=staff_actor(),
            now=NOON,
        )
        rates = {"rongcloud-user-getToken": "200", "nexconn-user-ban": "5", "agora-POST-users": ""}
        self.save(client, environment, **rates)
        assert environment.vendor_settings == {"nexconn": {"rate_limits": {"user/ban": 5}}}

    @pytest.mark.parametrize("rate", ["0", "-1", "many", "100001", "1.5"])
    def test_shows_the_error_of_an_invalid_limit_beside_its_field(self, client, environment, rate):
        response = self.save(client, environment, **{"nexconn-user-ban": rate})
        assert response.status_code == 422
        assert "errorlist" in response.text
        assert environment.vendor_settings == {}

    def test_has_a_field_for_every_call_of_every_vendor(self, client, environment):
        form = client.get(address("keys:index", environment)).context["rates"]
        assert len(form.fields) == sum(len(vendor.calls) for vendor in vendors())
        named = {row.call for _, rows, _ in form.by_vendor() for row in rows}
        assert {call for vendor in vendors() for call in vendor.limits.by_call} <= named


class TestKeys:
    def test_shows_the_keys_of_this_environment_in_every_snippet(self, client, environment):
        page = client.get(address("keys:index", environment)).text
        other = environment.application.environments.get(kind="development")
        assert len(re.findall(environment.app_key, page)) >= 4
        assert other.app_key not in page
        assert "http://testserver" in page
