import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from applications.models import Member, Role
from tests.console.pages import address, sign_in
from tests.factories import make_account, make_environment, make_member

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def owner(client, environment):
    return sign_in(client, environment)


def add(client, environment, username, role="viewer"):
    return client.post(
        address("members:add", environment), {"username": username, "role": role}, follow=True
    )


def invitation(response):
    return re.search(r"http://testserver(/console/invitation/[^<\s]+)", response.text).group(1)


def choose_password(link):
    """Open the link in another browser and choose a password."""
    browser = Client()
    form = browser.get(link, follow=True)
    url = form.redirect_chain[-1][0] if form.redirect_chain else link
    fields = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    return browser, browser.post(url, fields, follow=True)


class TestMemberAdd:
    def test_gives_an_existing_account_a_role(self, client, environment, owner):
        account = make_account(username="mei", password="x")
        response = add(client, environment, "mei", "moderator")
        assert "mei is now a moderator" in response.text
        assert Member.objects.get(account=account).role == Role.MODERATOR

    def test_invites_a_username_without_an_account(self, client, environment, owner):
        response = add(client, environment, "newcomer")
        assert response.status_code == 201
        assert not get_user_model().objects.get(username="newcomer").has_usable_password()
        browser, arrived = choose_password(invitation(response))
        assert arrived.redirect_chain[-1][0] == "/console/"
        assert environment.application.name in browser.get("/console/").text

    def test_refuses_a_member_and_keeps_the_form(self, client, environment, owner):
        response = add(client, environment, owner.username)
        assert response.status_code == 422
        assert "is already a member" in response.text
        assert f'value="{owner.username}"' in response.text

    @pytest.mark.parametrize("username", ["", "two words", "x" * 151])
    def test_refuses_an_invalid_username(self, client, environment, owner, username):
        assert add(client, environment, username).status_code == 422
        assert Member.objects.count() == 1


class TestInvitation:
    def test_works_once(self, client, environment, owner):
        link = invitation(add(client, environment, "newcomer"))
        choose_password(link)
        assert "no longer valid" in Client().get(link, follow=True).text

    def test_is_invalid_after_another_application_adds_the_account(
        self, client, environment, owner
    ):
        """Otherwise the owner of one application could get access to another."""
        link = invitation(add(client, environment, "newcomer"))
        account = get_user_model().objects.get(username="newcomer")
        make_member(application=make_environment().application, account=account)
        assert "no longer valid" in Client().get(link, follow=True).text

    def test_can_be_created_again_while_it_is_unused(self, client, environment, owner):
        add(client, environment, "newcomer")
        member = Member.objects.get(account__username="newcomer")
        again = client.post(address("members:invite", environment, member.pk))
        _, arrived = choose_password(invitation(again))
        assert arrived.redirect_chain[-1][0] == "/console/"

    @pytest.mark.parametrize("fields", [{"password": "x"}, {"is_staff": True}])
    def test_is_not_created_for_accounts_in_use(self, client, environment, owner, fields):
        account = make_account(**fields)
        member = make_member(application=environment.application, account=account)
        url = address("members:invite", environment, member.pk)
        assert "invitation/" not in client.post(url, follow=True).text

    def test_is_not_created_for_a_member_of_another_application(self, client, environment, owner):
        account = make_account()
        make_member(application=make_environment().application, account=account)
        member = make_member(application=environment.application, account=account)
        url = address("members:invite", environment, member.pk)
        assert "invitation/" not in client.post(url, follow=True).text


class TestMemberChange:
    def test_gives_another_role(self, client, environment, owner):
        member = make_member(application=environment.application, role=Role.VIEWER)
        client.post(address("members:change", environment, member.pk), {"role": "admin"})
        member.refresh_from_db()
        assert member.role == Role.ADMIN

    def test_keeps_the_last_owner(self, client, environment, owner):
        member = owner.memberships.get()
        url = address("members:change", environment, member.pk)
        response = client.post(url, {"role": "viewer"}, follow=True)
        assert "needs at least one owner" in response.text
        member.refresh_from_db()
        assert member.role == Role.OWNER

    def test_does_not_change_members_of_another_application(self, client, environment, owner):
        member = make_member(application=make_environment().application, role=Role.VIEWER)
        url = address("members:change", environment, member.pk)
        response = client.post(url, {"role": "admin"}, follow=True)
        assert "has already removed this member" in response.text
        member.refresh_from_db()
        assert member.role == Role.VIEWER


class TestMemberRemove:
    def test_asks_for_confirmation(self, client, environment, owner):
        member = make_member(application=environment.application)
        url = address("members:remove", environment, member.pk)
        assert "will no longer have access" in client.get(url).text
        assert Member.objects.filter(pk=member.pk).exists()
        client.post(url)
        assert not Member.objects.filter(pk=member.pk).exists()

    def test_says_if_the_member_is_already_removed(self, client, environment, owner):
        url = address("members:remove", environment, 404)
        assert "has already removed this member" in client.post(url, follow=True).text

    def test_keeps_the_last_owner(self, client, environment, owner):
        url = address("members:remove", environment, owner.memberships.get().pk)
        assert "needs at least one owner" in client.post(url, follow=True).text
        assert Member.objects.count() == 1

    def test_redirects_members_who_remove_themselves_to_the_overview(
        self, client, environment, owner
    ):
        make_member(application=environment.application)
        url = address("members:remove", environment, owner.memberships.get().pk)
        assert client.post(url, follow=True).redirect_chain[-1][0] == "/console/"


class TestMemberList:
    def test_disables_controls_for_an_admin(self, client, environment):
        sign_in(client, environment, Role.ADMIN)
        page = client.get(address("members:index", environment)).text
        assert "Needs role owner" in page
        assert 'name="role" aria-label' not in page

    def test_makes_no_more_queries_for_more_members(
        self, client, environment, owner, django_assert_num_queries
    ):
        for count in (1, 20):
            for _ in range(count):
                make_member(application=environment.application)
            # Session, account, environment, membership, members.
            with django_assert_num_queries(5):
                client.get(address("members:index", environment))
