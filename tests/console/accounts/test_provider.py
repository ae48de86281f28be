"""Law 38: signing in by an OpenID Connect provider, which may say what it likes."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.urls import reverse

from applications.models import AuditEvent, Member, Role
from rollcall import sign_in_settings
from tests.console import second_factor
from tests.console.accounts.identity_provider import CLIENT_ID, IdentityProvider
from tests.factories import make_account, make_application, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server():
    provider = IdentityProvider()
    yield provider
    provider.close()


@pytest.fixture
def application():
    application = make_application(name="Chirp")
    make_member(application=application)  # another owner
    return application


@pytest.fixture
def come(server, settings, application, client):
    """`come(sub="1", ...)`: a person comes back from the provider, who is what it says."""
    settings.OIDC = sign_in_settings.Provider(
        name="Example ID",
        issuer=server.issuer,
        client_id=CLIENT_ID,
        client_secret="s",
        scopes=["openid"],
        groups_claim="groups",
        roles={"support": [("chirp", "moderator")], "leads": [("chirp", "admin")]},
        origins=[server.issuer],
    )
    wanted = sign_in_settings.allauth(https=False, provider=settings.OIDC)
    settings.SOCIALACCOUNT_PROVIDERS = wanted["SOCIALACCOUNT_PROVIDERS"]
    server.userinfo, server.broken = {}, False

    def come(userinfo=None, query=None, **claims):
        server.claims, server.userinfo = claims, userinfo or {}
        return server.sign_in(client, settings.OIDC.id, **(query or {}))

    return come


def role_of(username):
    return list(Member.objects.filter(account__username=username).values_list("role", flat=True))


class TestSomebodyNew:
    def test_gets_an_account_and_the_highest_role_of_the_groups(self, come, client):
        done = come(sub="1", preferred_username="ada", groups=["support", "leads", "other"])
        assert done.url == reverse("overview:index")
        assert client.get(reverse("overview:index")).status_code == 200
        assert role_of("ada") == [Role.ADMIN]
        line = AuditEvent.objects.get(type="member.added", subject="ada")
        assert line.actor == "groups at Example ID"

    def test_without_a_role_is_refused(self, come):
        refused = come(sub="1", preferred_username="ada", groups=["other"])
        assert refused.status_code == 403
        assert "None of your groups there gives you a role here" in refused.text
        assert not get_user_model().objects.filter(username="ada").exists()

    @pytest.mark.parametrize("verified", [True, False, "true", None])
    def test_with_the_mail_address_of_an_account_does_not_join_it(self, come, verified):
        account = make_account(username="grace", email="grace@example.com")
        come(
            sub="1",
            preferred_username="mallory",
            email="grace@example.com",
            email_verified=verified,
            groups=["support"],
        )
        assert not SocialAccount.objects.filter(user=account).exists()
        assert role_of("mallory") == [Role.MODERATOR]

    @pytest.mark.parametrize("name", ["grace", "GRACE"])
    def test_with_the_name_of_an_account_is_refused_and_told_the_way(self, come, client, name):
        make_account(username="grace")
        refused = come(sub="1", preferred_username=name, groups=["support"])
        assert refused.status_code == 403
        assert "sign in to it and connect the provider" in refused.text
        assert not SocialAccount.objects.exists()


class TestSomebodyKnown:
    def test_follows_the_groups_at_each_sign_in(self, come, client):
        come(sub="1", preferred_username="ada", groups=["support"])
        come(sub="1", preferred_username="renamed", groups=["leads"])
        assert role_of("ada") == [Role.ADMIN]
        come(sub="1", groups=[])
        assert role_of("ada") == []
        assert get_user_model().objects.filter(username="ada").count() == 1

    def test_keeps_a_role_that_an_owner_gave(self, come, client, application):
        grace = make_account(username="grace")
        make_member(application=application, account=grace, role=Role.VIEWER)
        client.force_login(grace)
        come(sub="1", groups=["leads"], query={"process": "connect"})
        for groups in (["leads"], []):
            come(sub="1", groups=groups)
            assert role_of("grace") == [Role.VIEWER]

    def test_is_asked_for_the_second_factor(self, come, client):
        come(sub="1", preferred_username="ada", groups=["support"])
        second_factor.set_up(client, get_user_model().objects.get(username="ada"))
        client.post(reverse("account_logout"))
        assert come(sub="1", groups=["support"]).url == reverse("mfa_authenticate")
        assert client.get(reverse("overview:index")).status_code == 302

    def test_leaves_nothing_here_but_an_id_and_a_name(self, come):
        come(sub="1", preferred_username="ada", email="ada@example.com", groups=["support"])
        come(sub="1", email="ada@example.com", name="Ada", groups=["support"])
        assert SocialAccount.objects.get().extra_data == {}
        account = get_user_model().objects.get(username="ada")
        assert (account.email, account.emailaddress_set.count()) == ("", 0)


class TestAProviderThatMisbehaves:
    @pytest.mark.parametrize(
        "lie",
        [
            {"userinfo": {"sub": "2"}},
            {"groups": {"leads": True}},
            {"preferred_username": "x" * 200},
            {"preferred_username": "a\0b"},
            {"iss": "https://elsewhere.example"},
            {"aud": "another"},
        ],
    )
    def test_signs_nobody_in(self, come, client, lie):
        truth = {"sub": "1", "preferred_username": "ada", "groups": ["leads"]}
        assert come(**{**truth, **lie}).status_code == 403
        assert client.get(reverse("overview:index")).status_code == 302

    def test_by_answering_something_else_is_a_clear_sentence(self, come, server):
        server.broken = True
        refused = come(sub="1")
        assert refused.status_code == 403
        assert "Its answer cannot be understood" in refused.text

    def test_by_not_answering_is_a_clear_sentence(self, come, settings):
        apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
        apps[0]["settings"]["server_url"] = "http://127.0.0.1:1"
        assert "cannot be reached" in come(sub="1").text

    def test_whose_answer_nobody_asked_for_signs_nobody_in(self, come, client, settings):
        back = reverse("openid_connect_callback", args=[settings.OIDC.id])
        assert client.get(back, {"state": "made-up", "code": "c"}).status_code == 403


def test_without_a_provider_its_pages_do_not_exist(client):
    assert client.post(reverse("openid_connect_login", args=["id.example.com"])).status_code == 404
