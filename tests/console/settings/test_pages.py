import re
from datetime import timedelta

import pytest
import time_machine

from applications import request_log
from applications.models import Plan, Role
from applications.request_log import Answered
from tests.console.pages import address, sign_in
from tests.factories import (
    HOUR,
    NOON,
    make_connection,
    make_environment,
    make_logged_call,
    make_users,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(client):
    environment = make_environment(kind="production", plan=Plan.TRIAL)
    sign_in(client, environment, Role.ADMIN)
    return environment


def save(client, environment, **fields):
    form = {
        "token_lifetime_amount": "",
        "token_lifetime_unit": "days",
        "reactivation_cooling_off_amount": "0",
        "reactivation_cooling_off_unit": "hours",
        "agora_error_dialect": "agora",
        "agora_require_password": "on",
    }
    response = client.post(address("settings:change", environment), {**form, **fields})
    environment.refresh_from_db()
    return response


class TestSettingsChange:
    def test_sets_spans_and_leaves_the_plan_alone(self, client, production):
        save(
            client,
            production,
            plan="pro",
            token_lifetime_amount="90",
            token_lifetime_unit="minutes",
            reactivation_cooling_off_amount="1",
        )
        assert production.plan == Plan.TRIAL
        assert production.token_lifetime == timedelta(minutes=90)
        assert production.reactivation_cooling_off == timedelta(hours=1)

    def test_shows_a_span_in_the_largest_fitting_unit(self, client, production):
        save(client, production, token_lifetime_amount="48", token_lifetime_unit="hours")
        form = client.get(address("settings:index", production)).context["form"]
        widgets = form["token_lifetime"].subwidgets[0].data["subwidgets"]
        assert [widget["value"] for widget in widgets] == ["2", ["days"]]

    def test_an_empty_lifetime_means_no_expiry(self, client, production):
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
            {"agora_error_dialect": "klingon"},
            {"rongcloud_gateway_address": "chat.example.com"},
            {"rongcloud_gateway_address": "https://chat.example.com/gateway"},
        ],
    )
    def test_refuses_invalid_values_and_changes_nothing(self, client, production, fields):
        response = save(client, production, **fields)
        assert response.status_code == 422
        assert "errorlist" in response.text
        assert production.token_lifetime is None
        assert production.reactivation_cooling_off == timedelta(0)

    def test_sets_switches_and_vendor_settings(self, client, production):
        boxes = (
            *("friends_only", "ids_ignore_case"),
            *("nexconn_require_signature_v2", "agora_open_registration"),
        )
        save(
            client,
            production,
            agora_error_dialect="easemob",
            agora_require_password="",
            rongcloud_gateway_address="https://chat.example.com:8443",
            confirm=production.full_name,
            **dict.fromkeys(boxes, "on"),
        )
        assert production.friends_only
        assert production.ids_ignore_case
        assert production.vendor_settings == {
            "nexconn": {"require_signature_v2": True},
            "rongcloud": {"gateway_address": "https://chat.example.com:8443"},
            "agora": {
                "open_registration": True,
                "require_password": False,
                "error_dialect": "easemob",
            },
        }

    def test_stores_no_defaults(self, client, production):
        save(client, production, agora_open_registration="on")
        save(client, production)
        assert production.vendor_settings == {}

    def test_shows_the_current_value_in_every_field(self, client, production):
        save(client, production, agora_open_registration="on", token_lifetime_amount="3")
        form = client.get(address("settings:index", production)).context["form"]
        shown = {name: form[name].value() for name in form.fields}
        assert shown.pop("agora_open_registration")
        assert shown.pop("agora_require_password")
        assert shown.pop("agora_error_dialect") == "agora"
        assert not shown.pop("nexconn_require_signature_v2")
        assert not shown.pop("rongcloud_require_signature_v2")
        assert shown.pop("rongcloud_gateway_address") == ""
        assert not shown.pop("rongcloud_several_pages")
        assert shown == {name: getattr(production, name) for name in shown}
        grouped = [field.name for _, fields in form.groups() for field in fields]
        assert sorted(grouped) == sorted(form.fields)


class TestPlan:
    @pytest.fixture(autouse=True)
    def at_noon(self):
        with time_machine.travel(NOON, tick=False):
            yield

    def change(self, client, environment, **form):
        response = client.post(address("settings:plan", environment), form)
        environment.refresh_from_db()
        return response

    def test_can_be_raised_without_a_typed_name(self, client, production):
        assert self.change(client, production, plan="pro").status_code == 302
        assert production.plan == Plan.PRO

    @pytest.mark.parametrize("confirm", ["", "production", "chirp/development"])
    def test_can_be_lowered_only_with_the_environments_name(self, client, production, confirm):
        self.change(client, production, plan="starter")
        make_users(environment=production, count=120)
        make_connection(environment=production, user_id="user-00001")
        refused = self.change(client, production, plan="trial", confirm=confirm)
        assert refused.status_code == 422
        assert production.plan == Plan.STARTER
        words = " ".join(re.sub("<[^>]*>", " ", refused.text).split())
        assert "120 users are registered in Chirp, production, and 1 is connected now" in words
        assert "120 users are registered, so no new user can register" in words
        self.change(client, production, plan="trial", confirm=production.full_name)
        assert production.plan == Plan.TRIAL

    def test_says_how_many_more_users_can_register(self, client, production):
        self.change(client, production, plan="pro")
        make_users(environment=production, count=70)
        assert "30 more users can register" in client.get(address("settings:plan", production)).text

    def test_that_does_not_exist_is_refused(self, client, production):
        assert self.change(client, production, plan="gold").status_code == 422

    def test_of_development_is_always_trial(self, client, production):
        development = make_environment(application=production.application)
        assert self.change(client, development, plan="pro").status_code == 409
        assert development.plan == Plan.TRIAL
        page = client.get(address("settings:index", development)).text
        assert "Development is always on trial" in page
        assert address("settings:plan", development) not in page


class TestApplicationRename:
    def test_changes_the_name_and_not_the_url(self, client, production):
        org_name = production.application.org_name
        client.post(address("settings:rename", production), {"name": "Chirp 2"})
        production.application.refresh_from_db()
        assert production.application.name == "Chirp 2"
        assert production.application.org_name == org_name

    def test_refuses_an_empty_name(self, client, production):
        response = client.post(address("settings:rename", production), {"name": " "})
        assert response.status_code == 422


class TestDoorsChange:
    def test_accepts_the_chosen_vendors_only_in_both_environments(self, client, production):
        client.post(address("settings:doors", production), {"agora": "on", "nexconn": "on"})
        production.application.refresh_from_db()
        assert production.application.vendors == ["nexconn", "agora"]


class TestDeletionLock:
    @pytest.fixture(autouse=True)
    def at_noon(self):
        with time_machine.travel(NOON, tick=False):
            yield

    def unlock(self, client, environment, **fields):
        confirm = f"{environment.application.org_name}/{environment.kind}"
        form = {"lasting": "8", "confirm": confirm, **fields}
        response = client.post(address("settings:unlock_deletion", environment), form)
        environment.refresh_from_db()
        return response

    def test_is_lifted_by_an_owner_for_the_chosen_time(self, client, production):
        sign_in(client, production, Role.OWNER)
        self.unlock(client, production)
        assert production.deletion_unlocked_until == NOON + 8 * HOUR
        page = client.get(address("settings:index", production))
        assert "The API may delete users until" in page.text
        client.post(address("settings:lock_deletion", production))
        production.refresh_from_db()
        assert production.deletion_unlocked_until is None

    def test_is_locked_again_when_the_time_has_passed(self, client, production):
        sign_in(client, production, Role.OWNER)
        self.unlock(client, production)
        with time_machine.travel(NOON + 8 * HOUR, tick=False):
            page = client.get(address("settings:index", production))
        assert page.context["unlocked_until"] is None

    @pytest.mark.parametrize(
        "wrong", [{"confirm": "production"}, {"lasting": "999"}, {"lasting": ""}]
    )
    def test_stays_locked_with_a_wrong_name_or_time(self, client, production, wrong):
        sign_in(client, production, Role.OWNER)
        assert self.unlock(client, production, **wrong).status_code == 422
        assert production.deletion_unlocked_until is None

    def test_stays_locked_for_an_admin_and_names_the_owner(self, client, production):
        assert self.unlock(client, production).status_code == 403
        assert "Needs role owner" in client.get(address("settings:index", production)).text

    def test_does_not_exist_in_development(self, client, production):
        sign_in(client, production, Role.OWNER)
        development = make_environment(application=production.application)
        assert self.unlock(client, development).status_code == 409
        assert "Deletion by API" not in client.get(address("settings:index", development)).text


class TestSettings:
    def test_disables_controls_for_a_moderator(self, client, production):
        sign_in(client, production, Role.MODERATOR)
        page = client.get(address("settings:index", production)).text
        assert "Needs role admin or owner" in page
        assert '<fieldset class="form" disabled>' in page


@pytest.mark.usefixtures("at_noon")
class TestWideSettings:
    def test_friends_only_shows_whom_it_silences_and_asks_for_the_name(self, client, production):
        make_users(environment=production, count=3)
        make_connection(environment=production, user_id="user-00001")
        response = save(client, production, friends_only="on")
        assert response.status_code == 422
        assert "Connected now: 1 of 3 registered users" in response.text
        assert not production.friends_only
        save(client, production, friends_only="on", confirm=production.full_name)
        assert production.friends_only
        # Nothing is asked while it stays on, or is switched off.
        assert save(client, production, friends_only="on").status_code == 302
        assert save(client, production).status_code == 302

    def test_development_is_not_asked(self, client, production):
        development = make_environment(kind="development", application=production.application)
        assert save(client, development, friends_only="on").status_code == 302

    def test_a_vendor_that_is_called_is_closed_with_figures_and_a_typed_name(
        self, client, production
    ):
        application = production.application
        log_calls(production, vendor="rongcloud", number=3)
        others = {"nexconn": "on", "agora": "on"}
        where = address("settings:doors", production)
        response = client.post(where, others)
        assert response.status_code == 422
        assert "3 of the last 3 calls to production were RongCloud" in response.text
        application.refresh_from_db()
        assert "rongcloud" in application.vendors
        assert client.post(where, others | {"confirm": application.name}).status_code == 302
        application.refresh_from_db()
        assert application.vendors == ["nexconn", "agora"]

    def test_a_vendor_that_nobody_calls_is_closed_at_once(self, client, production):
        log_calls(production, vendor="nexconn", number=1)
        where = address("settings:doors", production)
        assert client.post(where, {"nexconn": "on", "agora": "on"}).status_code == 302

    def test_unlocking_deletion_shows_who_could_be_deleted(self, client, production):
        sign_in(client, production, Role.OWNER)
        make_users(environment=production, count=3)
        make_connection(environment=production, user_id="user-00001")
        text = " ".join(client.get(address("settings:unlock_deletion", production)).text.split())
        assert "<strong>3</strong> users are registered" in text
        assert "1 is connected now" in text


def log_calls(environment, *, vendor, number):
    for _ in range(number):
        request_log.note(Answered(environment.pk, make_logged_call(vendor=vendor)))
    request_log.write()
