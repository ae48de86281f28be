import re

import pytest
from django.urls import reverse

from applications.models import Application, Member, Plan, Role
from console.overview import views as overview
from tests.factories import (
    NOON,
    make_account,
    make_application,
    make_ban,
    make_connection,
    make_environment,
    make_member,
    make_user,
    make_users,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def account(client):
    account = make_account()
    client.force_login(account)
    return account


def figures(response):
    return {
        (row["application"].name, environment.kind): (
            environment.registered.value,
            environment.banned.value,
            environment.online.value,
        )
        for row in response.context["applications"]
        for environment in row["environments"]
    }


class TestOverview:
    def test_shows_figures_of_each_environment(self, client, account):
        application = make_application(name="Chirp", owner=account)
        development = make_environment(application=application)
        make_users(environment=development, count=3)
        make_ban(environment=development, user_id="mallory")
        make_ban(environment=development, user_id="over", expires_at=NOON)
        make_connection(environment=development, user_id="mia")
        make_connection(environment=development, user_id="mia")
        response = client.get(reverse("overview:index"))
        assert figures(response) == {
            ("Chirp", "development"): (3, 1, 1),
            ("Chirp", "production"): (0, 0, 0),
        }
        assert "3 of 100, 97 free" in response.text

    def test_shows_only_applications_of_the_account(self, client, account):
        make_application(name="Theirs", owner=make_account())
        make_application(name="Mine", owner=account)
        response = client.get(reverse("overview:index"))
        assert "Mine" in response.text
        assert "Theirs" not in response.text

    def test_shows_the_role_of_the_account_and_not_of_another_member(self, client, account):
        application = make_application(owner=make_account())
        make_member(application=application, account=account, role=Role.VIEWER)
        assert "your role: viewer" in client.get(reverse("overview:index")).text

    def test_makes_no_more_queries_for_more_applications(
        self, client, account, django_assert_num_queries
    ):
        for number in range(overview.PAGE_SIZE):
            application = make_application(name=f"App {number:02}", owner=account)
            make_user(environment=make_environment(application=application))
            if number in (0, overview.PAGE_SIZE - 1):
                # Session, account, applications, environments with all their figures.
                with django_assert_num_queries(4):
                    client.get(reverse("overview:index"))

    def test_pages_by_name_and_finds_by_part_of_the_name(self, client, account):
        for number in range(overview.PAGE_SIZE + 1):
            make_application(name=f"App {number:02}", owner=account)
        first = client.get(reverse("overview:index"))
        last = client.get(reverse("overview:index"), {"cursor": first.context["page"].next})
        assert [row["application"].name for row in last.context["applications"]] == ["App 20"]
        found = client.get(reverse("overview:index"), {"q": "p 07"})
        assert [row["application"].name for row in found.context["applications"]] == ["App 07"]

    def test_says_what_to_do_without_applications(self, client, account):
        response = client.get(reverse("overview:index"))
        assert "No applications yet" in response.text
        assert reverse("overview:create") in response.text

    def test_says_if_a_search_finds_nothing(self, client, account):
        make_application(owner=account)
        assert "No application matches" in client.get(reverse("overview:index"), {"q": "zzz"}).text


class TestApplicationCreate:
    def test_shows_both_secrets_once_and_makes_the_account_owner(self, client, account):
        response = client.post(reverse("overview:create"), {"name": "Chirp", "plan": "starter"})
        assert response.status_code == 201
        assert "no-store" in response["Cache-Control"]
        application = Application.objects.get()
        for environment in application.environments.all():
            assert environment.app_key in response.text
            [secret] = environment.secrets.all()
            assert re.search(rf"[0-9a-f]{{28}}{secret.hint}", response.text)
        assert Member.objects.get().role == Role.OWNER
        production = application.environments.get(kind="production")
        assert production.plan == Plan.STARTER

    def test_creates_one_application_if_the_form_is_submitted_twice(self, client, account):
        form = {"name": "Chirp", "plan": "trial"}
        client.post(reverse("overview:create"), form)
        again = client.post(reverse("overview:create"), form)
        assert again.status_code == 422
        assert "already have an application with this name" in again.text
        assert Application.objects.count() == 1

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"name": "", "plan": "trial"}, "This field is required."),
            ({"name": "x" * 81, "plan": "trial"}, "at most 80 characters"),
            ({"name": "Chirp", "plan": "gold"}, "gold is not one of the available choices"),
        ],
    )
    def test_shows_errors_and_keeps_the_input(self, client, account, form, error):
        response = client.post(reverse("overview:create"), form)
        assert response.status_code == 422
        assert error in response.text
        assert form["name"] in response.text
        assert not Application.objects.exists()
