from datetime import timedelta

import pytest

from applications.models import Plan, Role
from tests.console.pages import address, sign_in
from tests.factories import make_environment

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(client):
    environment = make_environment(kind="production", plan=Plan.TRIAL)
    sign_in(client, environment, Role.ADMIN)
    return environment


def save(client, environment, **fields):
    form = {
        "plan": "trial",
        "token_lifetime_amount": "",
        "token_lifetime_unit": "days",
        "reactivation_cooling_off_amount": "0",
        "reactivation_cooling_off_unit": "hours",
    }
    response = client.post(address("settings_change", environment), {**form, **fields})
    environment.refresh_from_db()
    return response


class TestSettingsChange:
    def test_sets_plan_and_spans(self, client, production):
        save(
            client,
            production,
            plan="pro",
            token_lifetime_amount="90",
            token_lifetime_unit="minutes",
            reactivation_cooling_off_amount="1",
        )
        assert production.plan == Plan.PRO
        assert production.token_lifetime == timedelta(minutes=90)
        assert production.reactivation_cooling_off == timedelta(hours=1)

    def test_shows_a_span_in_the_largest_unit_that_says_it(self, client, production):
        save(client, production, token_lifetime_amount="48", token_lifetime_unit="hours")
        form = client.get(address("settings", production)).context["form"]
        widgets = form["token_lifetime"].subwidgets[0].data["subwidgets"]
        assert [widget["value"] for widget in widgets] == ["2", ["days"]]

    def test_takes_no_lifetime_for_no_end(self, client, production):
        save(client, production, token_lifetime_amount="2")
        save(client, production, token_lifetime_amount="")
        assert production.token_lifetime is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"token_lifetime_amount": "0"},
            {"token_lifetime_amount": "soon"},
            {"token_lifetime_amount": "-1"},
            {"token_lifetime_amount": "9" * 30},
            {"token_lifetime_unit": "weeks", "token_lifetime_amount": "1"},
            {"reactivation_cooling_off_amount": ""},
            {"reactivation_cooling_off_amount": "-1"},
            {"plan": "gold"},
        ],
    )
    def test_refuses_what_makes_no_sense_and_changes_nothing(self, client, production, fields):
        response = save(client, production, **fields)
        assert response.status_code == 422
        assert "errorlist" in response.text
        assert production.token_lifetime is None
        assert production.reactivation_cooling_off == timedelta(0)

    def test_leaves_development_on_trial_whatever_is_sent(self, client, production):
        development = make_environment(application=production.application)
        assert save(client, development, plan="pro").status_code == 302
        assert development.plan == Plan.TRIAL


class TestApplicationRename:
    def test_changes_the_name_and_not_the_address(self, client, production):
        org_name = production.application.org_name
        client.post(address("application_rename", production), {"name": "Chirp 2"})
        production.application.refresh_from_db()
        assert production.application.name == "Chirp 2"
        assert production.application.org_name == org_name

    def test_refuses_an_empty_name(self, client, production):
        response = client.post(address("application_rename", production), {"name": " "})
        assert response.status_code == 422


class TestSettings:
    def test_shows_controls_off_to_who_may_not(self, client, production):
        sign_in(client, production, Role.MODERATOR)
        page = client.get(address("settings", production)).text
        assert "Needs role admin or owner" in page
        assert '<fieldset class="form" disabled>' in page
