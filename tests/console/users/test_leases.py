"""Leases and pins on the pages about users, and lease rules on the Quota page."""

import json

import pytest

from applications.models import Role
from tests.console.pages import address, sign_in
from tests.factories import DAY, HOUR, NOON, make_environment, make_user, staff_actor
from users import lease_rules, leases, pins
from users.models import LeaseRule, Place

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("at_noon", "member"),
]

HTMX = {"HX-Request": "true"}
AT = {"by": staff_actor(), "now": NOON}


@pytest.fixture
def mia(environment):
    return make_user(environment=environment, user_id="mia")


def post(client, environment, page, *args, **fields):
    return client.post(address(page, environment, *args), fields, headers=HTMX)


def toast(response):
    return json.loads(response["HX-Trigger"])["toast"]


def test_registers_with_a_lease(client, environment):
    fields = {"user_id": "mia", "lease_amount": "90", "lease_unit": "minutes"}
    assert post(client, environment, "users:register", **fields).status_code == 200
    place = Place.objects.get()
    assert place.lease_until == NOON + 1.5 * HOUR
    assert place.taken_via == "console"


def test_the_dialog_changes_a_lease_and_takes_it_away(client, environment, mia):
    post(client, environment, "users:lease", "mia", lease_amount="3", lease_unit="days")
    assert Place.objects.get().lease_until == NOON + 3 * DAY
    dialog = client.get(address("users:lease", environment, "mia"), headers=HTMX).text
    assert "5 Mar 2026, 12:00:00 UTC" in dialog
    answer = post(client, environment, "users:lease", "mia", lease_amount="", lease_unit="days")
    assert toast(answer)["message"] == "mia has no lease"
    assert Place.objects.get().lease_until is None


@pytest.mark.parametrize("amount", ["0", "-1", "366", "x"])
def test_the_dialog_says_which_lease_is_impossible(client, environment, mia, amount):
    answer = post(client, environment, "users:lease", "mia", lease_amount=amount, lease_unit="days")
    assert answer.status_code == 422
    assert answer.context["form"].errors["lease"]


def test_pins_with_an_undo(client, environment, mia):
    answer = post(client, environment, "users:pin", "mia")
    assert Place.objects.get().pinned_at == NOON
    assert toast(answer)["undo"] == address("users:unpin", environment, "mia")
    assert "Unpin" in client.get(address("users:detail", environment, "mia")).text
    client.post(toast(answer)["undo"], headers=HTMX)
    assert Place.objects.get().pinned_at is None


def test_an_unknown_user_is_named(client, environment):
    for page in ("users:lease", "users:pin", "users:unpin"):
        answer = post(client, environment, page, "nobody", lease_amount="1", lease_unit="days")
        assert answer.status_code == 409
        assert "nobody is no longer registered" in answer.text


def test_lists_who_is_kept_and_until_when(client, environment, mia):
    make_user(environment=environment, user_id="max")
    leases.change(environment=environment, user_id="mia", until=NOON + HOUR, **AT)
    pins.pin(environment=environment, user_id="max", **AT)
    for tab, found in (("leased", ["mia"]), ("pinned", ["max"])):
        page = client.get(address("users:index", environment), {"tab": tab})
        assert [row.user.user_id for row in page.context["rows"]] == found
    quota = address("quota:index", environment)
    for kept, found in (("leased", ["mia"]), ("pinned", ["max"])):
        page = client.get(quota, {"kept": kept})
        assert [held.user.user_id for held in page.context["places"]] == found


def test_production_has_none_of_it(client, environment):
    production = make_environment(kind="production", application=environment.application)
    make_user(environment=production, user_id="mia")
    assert "Pinned" not in client.get(address("users:index", production)).text
    assert "Change lease" not in client.get(address("users:detail", production, "mia")).text


class TestRules:
    def test_are_added_and_removed_on_the_quota_page(self, client, environment):
        fields = {"begins_with": "ci-", "lasts_amount": "2", "lasts_unit": "hours"}
        assert post(client, environment, "quota:add_rule", **fields).status_code == 204
        page = client.get(address("quota:index", environment)).text
        assert "<code>ci-</code>" in page
        assert "2 h" in page
        rule = LeaseRule.objects.get()
        removed = [post(client, environment, "quota:remove_rule", rule.pk) for _ in range(2)]
        assert "removed. Leases that it gave stay" in toast(removed[0])["message"]
        assert toast(removed[1])["message"] == "This rule was removed already"

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"begins_with": "a b"}, "begins_with"),
            ({"begins_with": ""}, "begins_with"),
            ({"begins_with": "ci-"}, "begins_with"),
            ({"lasts_amount": "400", "lasts_unit": "days"}, "lasts"),
        ],
    )
    def test_say_beside_the_field_what_is_wrong(self, client, environment, fields, field):
        lease_rules.add(environment=environment, prefix="ci-", lasts=HOUR, **AT)
        fields = {"begins_with": "qa-", "lasts_amount": "2", "lasts_unit": "hours", **fields}
        answer = post(client, environment, "quota:add_rule", **fields)
        assert answer.status_code == 422
        assert list(answer.context["form"].errors) == [field]

    def test_are_read_by_a_viewer_and_changed_by_nobody_without_the_permission(
        self, client, environment
    ):
        sign_in(client, environment, Role.VIEWER)
        assert "Lease rules" in client.get(address("quota:index", environment)).text
        assert post(client, environment, "quota:add_rule").status_code == 403
