from datetime import timedelta

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.urls import reverse

from tests.factories import NOON, make_account

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def account():
    return make_account(username="grace", password=PASSWORD)


def sign_in(client, password=PASSWORD, **query):
    url = reverse("accounts:sign_in", query=query)
    return client.post(url, {"username": "grace", "password": password, **query})


class TestSignIn:
    def test_redirects_to_the_requested_page(self, client, account):
        requested = reverse("overview:create")
        redirect = client.get(requested)
        assert redirect.url == f"{reverse('accounts:sign_in')}?next={requested}"
        assert sign_in(client, next=requested).url == requested

    def test_does_not_redirect_to_other_hosts(self, client, account):
        assert sign_in(client, next="https://elsewhere.example/").url == reverse("overview:index")

    def test_shows_the_same_error_for_an_unknown_name_and_a_wrong_password(self, client, account):
        wrong = sign_in(client, password="wrong").text
        get_user_model().objects.all().delete()
        unknown = sign_in(client, password="wrong").text
        message = "Please enter a correct username and password"
        assert message in wrong
        assert message in unknown

    def test_locks_out_after_some_failures_and_says_until_when(self, client, account, settings):
        with time_machine.travel(NOON, tick=False) as clock:
            for _ in range(settings.AXES_FAILURE_LIMIT):
                response = sign_in(client, password="wrong")
            assert response.status_code == 429
            assert "2 Mar 2026, 12:15:00 UTC" in response.text
            assert sign_in(client).status_code == 429
            clock.shift(settings.AXES_COOLOFF_TIME + timedelta(seconds=1))
            assert sign_in(client).status_code == 302

    def test_locks_nobody_out_for_failures_from_another_address(self, client, account, settings):
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(client, password="wrong")
        client.defaults["REMOTE_ADDR"] = "192.0.2.99"
        assert sign_in(client).status_code == 302


class TestSignOut:
    def test_accepts_only_post(self, client, account):
        client.force_login(account)
        assert client.get(reverse("accounts:sign_out")).status_code == 405
        assert client.post(reverse("accounts:sign_out")).url == reverse("accounts:sign_in")
        assert client.get(reverse("overview:index")).status_code == 302


class TestPasswordChange:
    def test_changes_it_and_keeps_this_browser_signed_in(self, client, account):
        client.force_login(account)
        fields = {
            "old_password": PASSWORD,
            "new_password1": "another long phrase",
            "new_password2": "another long phrase",
        }
        response = client.post(reverse("accounts:password_change"), fields, follow=True)
        assert "Your password is changed" in response.text
        account.refresh_from_db()
        assert account.check_password("another long phrase")

    def test_refuses_a_common_password(self, client, account):
        client.force_login(account)
        fields = {
            "old_password": PASSWORD,
            "new_password1": "password",
            "new_password2": "password",
        }
        assert "too common" in client.post(reverse("accounts:password_change"), fields).text


class TestSession:
    def test_keys_in_the_database_cannot_sign_in(self, client, account):
        sign_in(client)
        [stored] = Session.objects.values_list("session_key", flat=True)
        cookie = client.cookies["sessionid"]
        assert client.get(reverse("overview:index")).status_code == 200
        assert stored != cookie.value
        cookie.set("sessionid", stored, stored)
        assert client.get(reverse("overview:index")).status_code == 302

    def test_ends_with_signing_out(self, client, account):
        sign_in(client)
        former = client.cookies["sessionid"].value
        client.post(reverse("accounts:sign_out"))
        assert not Session.objects.exists()
        client.cookies["sessionid"] = former
        assert client.get(reverse("overview:index")).status_code == 302

    def test_works_in_async_code_too(self, account, async_client):
        async_to_sync(async_client.aforce_login)(account)
        response = async_to_sync(async_client.get)(reverse("overview:index"))
        assert response.status_code == 200
