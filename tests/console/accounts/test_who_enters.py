"""Signing in anew, and a second factor that an owner requires."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.urls import reverse

from applications.models import AuditEvent, Member, Role
from tests.console import second_factor
from tests.console.pages import address
from tests.factories import MINUTE, NOON, make_account, make_member

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/console/here/?q=1#old"}


@pytest.fixture(autouse=True)
def _nobody_has_guessed():
    cache.clear()


@pytest.fixture
def owner(environment):
    account = make_account(username="grace", password=PASSWORD)
    make_member(application=environment.application, account=account)
    return account


@pytest.fixture
def signed_in_long_ago(client, owner):
    """Eleven minutes."""
    with time_machine.travel(NOON, tick=False) as clock:
        client.force_login(owner)
        clock.shift(11 * MINUTE)
        yield clock


class TestSigningInAnew:
    """Law 37."""

    def test_is_not_asked_for_within_ten_minutes(self, client, environment, owner):
        with time_machine.travel(NOON, tick=False) as clock:
            client.force_login(owner)
            clock.shift(timedelta(minutes=9, seconds=59))
            assert client.get(address("keys:add", environment)).status_code == 200

    def test_goes_on_with_the_form_that_was_sent(self, client, environment, signed_in_long_ago):
        url = address("members:add", environment)
        asked = client.post(url, {"username": "ada", "role": "viewer"})
        assert asked.url == f"{reverse('account_reauthenticate')}?{urlencode({'next': url})}"
        assert not Member.objects.filter(account__username="ada").exists()
        wrong = client.post(asked.url, {"password": "wrong", "next": url})
        assert "This is not your password" in wrong.text
        done = client.post(asked.url, {"password": PASSWORD, "next": url})
        assert done.status_code == 201
        assert "Invite ada" in done.text
        assert client.get(address("keys:add", environment)).status_code == 200

    def test_comes_back_to_the_dialog(self, client, environment, signed_in_long_ago):
        url = address("keys:add", environment)
        asked = client.get(url, headers=HTMX)
        assert asked.status_code == 204
        [back] = parse_qs(urlsplit(asked["HX-Redirect"]).query)["next"]
        assert back == f"/console/here/?q=1#dialog={url.replace('/', '%2F')}"
        done = client.post(asked["HX-Redirect"], {"password": PASSWORD, "next": back})
        assert done.url == back

    def test_by_a_code_is_enough(self, client, owner, environment):
        secret = second_factor.set_up(client, owner)
        with time_machine.travel(NOON, tick=False) as clock:
            client.force_login(owner)
            clock.shift(11 * MINUTE)
            url = reverse("mfa_reauthenticate")
            client.post(url, {"code": second_factor.code(secret)})
            assert client.get(address("keys:add", environment)).status_code == 200

    def test_is_asked_for_by_changes_in_django_admin(self, client):
        root = make_account(username="root", is_staff=True, is_superuser=True, password=PASSWORD)
        url = reverse("admin:auth_user_change", args=[root.pk])
        with time_machine.travel(NOON, tick=False) as clock:
            client.force_login(root)
            clock.shift(11 * MINUTE)
            assert client.get(url).status_code == 200
            assert client.post(url, {}).url.startswith(reverse("account_reauthenticate"))


class TestARequiredSecondFactor:
    """Law 35."""

    def require(self, client, environment, required="yes"):
        url = address("members:second_factor", environment)
        return client.post(url, {"required": required}, follow=True)

    def test_is_required_only_by_an_owner_who_has_one(self, client, environment, owner):
        client.force_login(owner)
        refused = self.require(client, environment)
        assert "your own account first" in refused.text
        second_factor.set_up(client, owner)
        assert "A second factor is required now" in self.require(client, environment).text
        environment.application.refresh_from_db()
        assert environment.application.second_factor_required
        line = AuditEvent.objects.get(type="application.second_factor_changed")
        assert line.after == {"required": True}

    def test_keeps_out_members_without_one_until_they_set_it_up(self, client, environment, owner):
        member = make_member(application=environment.application, role=Role.ADMIN).account
        second_factor.set_up(client, owner)
        self.require(client, environment)
        client.force_login(member)
        home = address("environment:index", environment)
        kept_out = client.get(home)
        assert kept_out.status_code == 403
        assert "requires a second factor of all its members" in kept_out.text
        assert reverse("mfa_activate_totp") in kept_out.text
        overview = client.get(reverse("overview:index"))
        assert "Set up yours" in overview.text
        assert "no limit" not in overview.text
        found = client.get(reverse("search_everywhere"), {"q": environment.application.name})
        assert home not in found.text
        second_factor.set_up(client, member)
        assert client.get(home).status_code == 200
        assert environment.application.members.get(account=member).role == Role.ADMIN


def test_an_operator_removes_a_lost_second_factor(client, environment, owner, capsys):
    second_factor.set_up(client, owner)
    call_command("remove_second_factor", "grace")
    assert "Removed from grace: recovery_codes, totp" in capsys.readouterr().out
    assert client.get(reverse("mfa_index")).status_code == 302
    lines = AuditEvent.objects.filter(type="member.factor_removed", actor="system")
    assert [line.subject for line in lines] == ["grace"] * 2
    signed_in = client.post(reverse("account_login"), {"username": "grace", "password": PASSWORD})
    assert signed_in.url == reverse("overview:index")
    with pytest.raises(CommandError, match="no second factor"):
        call_command("remove_second_factor", "grace")
