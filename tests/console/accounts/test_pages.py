"""Signing in by password, the session, and the pages of one's own account."""

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.urls import reverse

from applications.models import AuditEvent, StaffSession
from tests.console import second_factor
from tests.factories import MINUTE, NOON, SECOND, make_account, make_application, make_member

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _nobody_has_guessed():
    cache.clear()


@pytest.fixture
def account():
    return make_account(username="grace", password=PASSWORD)


def sign_in(client, password=PASSWORD, address="192.0.2.1", username="grace", **query):
    url = reverse("account_login", query=query)
    fields = {"username": username, "password": password, **query}
    return client.post(url, fields, REMOTE_ADDR=address)


class TestSignIn:
    def test_redirects_to_the_requested_page(self, client, account):
        requested = reverse("overview:create")
        redirect = client.get(requested)
        assert redirect.url == f"{reverse('account_login')}?next={requested}"
        assert sign_in(client, next=requested).url == requested

    def test_does_not_redirect_to_other_hosts(self, client, account):
        assert sign_in(client, next="https://elsewhere.example/").url == reverse("overview:index")

    def test_shows_the_same_error_for_an_unknown_name_and_a_wrong_password(self, client, account):
        wrong = sign_in(client, password="wrong").text
        get_user_model().objects.all().delete()
        unknown = sign_in(client, password="wrong").text
        message = "This username and password do not belong together"
        assert message in wrong
        assert message in unknown

    def test_by_django_admin_is_the_consoles(self, client, account):
        shown = client.get(reverse("admin:index"), follow=True)
        assert shown.redirect_chain[-1][0].startswith(f"{reverse('account_login')}?next=")


class TestWrongPasswords:
    """`tests/applications/test_guesses.py` has the limits themselves."""

    def test_of_strangers_slow_down_strangers_and_say_how_long(self, client, account, settings):
        with time_machine.travel(NOON, tick=False) as clock:
            for each in range(30):
                refused = sign_in(client, "wrong", address=f"192.0.2.{each}")
            assert refused.status_code == 429
            told = int(sign_in(client, address="198.51.100.7")["Retry-After"])
            assert told == (30 - settings.SIGN_IN_ATTEMPTS + 1) * 15
            clock.shift(told * SECOND)
            assert sign_in(client, address="198.51.100.7").status_code == 302

    def test_cost_nothing_in_a_browser_that_has_signed_in_before(self, client, account):
        sign_in(client)
        client.post(reverse("account_logout"))
        stranger = type(client)()
        for each in range(30):
            sign_in(stranger, "wrong", address=f"203.0.113.{each}")
        assert sign_in(stranger, address="198.51.100.7").status_code == 429
        assert sign_in(client, address="198.51.100.8").status_code == 302

    def test_cost_nothing_at_an_address_that_has_signed_in_before(self, client, account):
        sign_in(client, address="198.51.100.8")
        for each in range(30):
            sign_in(type(client)(), "wrong", address=f"203.0.113.{each}")
        assert sign_in(type(client)(), address="198.51.100.8").status_code == 302

    def test_for_many_names_from_one_address_slow_down_that_address(self, client, account):
        for each in range(30):
            last = sign_in(client, "wrong", username=f"name-{each}")
        assert last.status_code == 429
        assert sign_in(client, address="198.51.100.8").status_code == 302

    @pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 302)])
    def test_behind_a_proxy_are_of_the_address_that_it_names(
        self, client, account, settings, proxies, status
    ):
        """What a client itself writes into the header counts nowhere."""
        settings.TRUSTED_PROXIES = proxies
        for each in range(30):
            fields = {"username": f"name-{each}", "password": "wrong"}
            forged = {"X-Forwarded-For": f"203.0.113.{each}, 198.51.100.1"}
            client.post(reverse("account_login"), fields, headers=forged)
        fields = {"username": "grace", "password": PASSWORD}
        theirs = {"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}
        response = client.post(reverse("account_login"), fields, headers=theirs)
        assert response.status_code == status


class TestSignOut:
    def test_accepts_only_post(self, client, account):
        client.force_login(account)
        assert client.get(reverse("account_logout")).status_code == 405
        assert client.post(reverse("account_logout")).url == reverse("account_login")
        assert client.get(reverse("overview:index")).status_code == 302


class TestPasswordChange:
    def test_changes_it_and_keeps_this_browser_signed_in(self, client, account):
        make_member(application=make_application(), account=account)
        client.force_login(account)
        fields = {
            "old_password": PASSWORD,
            "new_password1": "another long phrase",
            "new_password2": "another long phrase",
        }
        response = client.post(reverse("account_change_password"), fields, follow=True)
        assert "Your password is changed" in response.text
        account.refresh_from_db()
        assert account.check_password("another long phrase")
        assert AuditEvent.objects.get(type="member.password_changed").subject == "grace"

    def test_refuses_a_common_password(self, client, account):
        client.force_login(account)
        fields = {
            "old_password": PASSWORD,
            "new_password1": "password",
            "new_password2": "password",
        }
        assert "too common" in client.post(reverse("account_change_password"), fields).text


class TestSession:
    def test_keys_in_the_database_cannot_sign_in(self, client, account):
        """Law 18."""
        sign_in(client)
        stored = StaffSession.objects.get()
        cookie = client.cookies["sessionid"]
        assert client.get(reverse("overview:index")).status_code == 200
        assert stored.session_key != cookie.value
        assert cookie.value not in stored.session_data
        cookie.set("sessionid", stored.session_key, stored.session_key)
        assert client.get(reverse("overview:index")).status_code == 302

    def test_ends_with_signing_out(self, client, account):
        sign_in(client)
        former = client.cookies["sessionid"].value
        client.post(reverse("account_logout"))
        assert not StaffSession.objects.exists()
        client.cookies["sessionid"] = former
        assert client.get(reverse("overview:index")).status_code == 302

    def test_works_in_async_code_too(self, account, async_client):
        async_to_sync(async_client.aforce_login)(account)
        response = async_to_sync(async_client.get)(reverse("overview:index"))
        assert response.status_code == 200

    def test_is_listed_with_place_and_last_use(self, client, account):
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        with time_machine.travel(NOON, tick=False) as clock:
            sign_in(client)
            clock.shift(5 * MINUTE)
            headers = {"User-Agent": firefox}
            client.get(reverse("overview:index"), headers=headers, REMOTE_ADDR="198.51.100.7")
            page = client.get(reverse("mfa_index"), headers=headers, REMOTE_ADDR="198.51.100.7")
        [session] = StaffSession.objects.all()
        assert session.signed_in_at == NOON
        assert session.last_used_at == NOON + 5 * MINUTE
        assert "Firefox on Linux" in page.text
        assert "198.51.100.7" in page.text

    def test_is_ended_from_another_browser(self, client, account):
        others = [type(client)() for _ in range(3)]
        for each in (client, *others):
            sign_in(each)
        gone = StaffSession.objects.order_by("signed_in_at")[1]
        client.post(reverse("session_end"), {"session": gone.pk})
        assert StaffSession.objects.count() == 3
        client.post(reverse("sessions_end_others"))
        assert StaffSession.objects.count() == 1
        assert client.get(reverse("mfa_index")).status_code == 200
        assert others[1].get(reverse("mfa_index")).status_code == 302

    def test_of_somebody_else_cannot_be_ended(self, client, account):
        sign_in(client)
        stranger = type(client)()
        stranger.force_login(make_account())
        stranger.post(
            reverse("session_end"), {"session": StaffSession.objects.get(account=account).pk}
        )
        assert StaffSession.objects.filter(account=account).exists()


class TestSecondFactor:
    def test_is_asked_for_after_the_password(self, client, account):
        secret = second_factor.set_up(client, account)
        client.post(reverse("account_logout"))
        assert sign_in(client).url == reverse("mfa_authenticate")
        assert client.get(reverse("overview:index")).status_code == 302
        wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
        assert "This code is wrong" in wrong.text
        code = second_factor.code(secret)
        assert client.post(reverse("mfa_authenticate"), {"code": code}).url == reverse(
            "overview:index"
        )
        client.post(reverse("account_logout"))
        sign_in(client)
        used = client.post(reverse("mfa_authenticate"), {"code": code})
        assert "it was used already" in used.text

    @pytest.mark.parametrize(("steps", "status"), [(-2, 200), (-1, 302), (1, 302), (2, 200)])
    def test_may_come_from_a_clock_that_is_off_by_one_step(self, client, account, steps, status):
        with time_machine.travel(NOON, tick=False):
            secret = second_factor.set_up(client, account)
            client.post(reverse("account_logout"))
            sign_in(client)
            fields = {"code": second_factor.code(secret, steps=steps)}
            assert client.post(reverse("mfa_authenticate"), fields).status_code == status

    def test_is_taken_once_however_long_it_is_valid(self, client, account, settings):
        """With a cache whose times the test moves."""
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        with time_machine.travel(NOON, tick=False) as clock:
            secret = second_factor.set_up(client, account)
            code = second_factor.code(secret, steps=1)
            for status in (302, 200):
                client.post(reverse("account_logout"))
                sign_in(client)
                spelt = code if status == 302 else f"{code[:3]} {code[3:]}"
                answer = client.post(reverse("mfa_authenticate"), {"code": spelt})
                assert answer.status_code == status
                clock.shift(50 * SECOND)
        assert "it was used already" in answer.text

    def test_can_be_a_recovery_code_once(self, client, account):
        second_factor.set_up(client, account)
        [first, *_] = client.get(reverse("mfa_download_recovery_codes")).text.split()
        for status in (302, 200):
            client.post(reverse("account_logout"))
            sign_in(client)
            answer = client.post(reverse("mfa_authenticate"), {"code": first})
            assert answer.status_code == status
        assert "it was used already" in answer.text

    def test_is_encrypted_in_the_database(self, client, account):
        secret = second_factor.set_up(client, account)
        codes = client.get(reverse("mfa_download_recovery_codes")).text.split()
        stored = str(list(Authenticator.objects.values_list("data", flat=True)))
        assert len(codes) == 10
        assert not [text for text in (secret, *codes) if text in stored]

    def test_writes_an_audit_line_in_each_application_of_the_member(self, client, account):
        for _ in range(2):
            make_member(application=make_application(), account=account)
        second_factor.set_up(client, account)
        client.post(reverse("mfa_deactivate_totp"))
        lines = AuditEvent.objects.filter(subject="grace").values_list("type", "after__kind")
        for type in ("member.factor_added", "member.factor_removed"):
            assert sorted(lines.filter(type=type)) == [
                *[(type, "recovery_codes")] * 2,
                *[(type, "totp")] * 2,
            ]
