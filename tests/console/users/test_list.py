"""The list of users: sorted, filtered by dates, exported, and acted on in bulk; all in the URL."""

import csv
import json
from io import StringIO

import pytest

from applications.models import AuditEvent, Plan, Role
from tests.console.pages import address, sign_in, url
from tests.factories import (
    DAY,
    NOON,
    make_ban,
    make_connection,
    make_environment,
    make_user,
    make_users,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def people(environment):
    """Ada was registered first and seen last; Cleo has never connected."""
    for user_id, registered, seen in (("ada", 3, 0), ("ben", 2, 1), ("cleo", 1, None)):
        make_user(
            environment=environment,
            user_id=user_id,
            registered_at=NOON - registered * DAY,
            last_seen_at=None if seen is None else NOON - seen * DAY,
        )


def listed(client, environment, **query):
    response = client.get(url(environment, "users/", **query))
    assert response.status_code == 200
    return [row.user.user_id for row in response.context["rows"]]


@pytest.mark.usefixtures("member", "people")
class TestSortAndFilter:
    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("", ["cleo", "ben", "ada"]),
            ("oldest", ["ada", "ben", "cleo"]),
            ("seen", ["ada", "ben"]),
            ("unseen", ["ben", "ada"]),
            ("nonsense", ["cleo", "ben", "ada"]),
        ],
    )
    def test_sorts(self, client, environment, sort, order):
        assert listed(client, environment, sort=sort) == order

    def test_dates_filter_the_column_that_sorts(self, client, environment):
        day = f"{NOON - 2 * DAY:%Y-%m-%d}"
        assert listed(client, environment, since=day, until=day) == ["ben"]
        yesterday = f"{NOON - DAY:%Y-%m-%d}"
        assert listed(client, environment, sort="seen", until=yesterday) == ["ben"]

    def test_what_does_not_apply_is_ignored(self, client, environment):
        assert listed(client, environment, since="x", until="9999-12-31") == ["cleo", "ben", "ada"]
        assert listed(client, environment, q="a", since="2027-01-01") == ["ada"]
        assert listed(client, environment, tab="never", sort="seen") == ["cleo"]

    def test_heads_say_how_the_list_is_sorted(self, client, environment):
        page = client.get(url(environment, "users/", sort="seen")).text
        assert page.count("aria-sort") == 1
        assert 'aria-sort="descending"' in page

    def test_each_order_pages_without_skipping(self, client, environment):
        make_users(environment=environment, count=60)
        for sort in ("", "oldest"):
            first = client.get(url(environment, "users/", sort=sort))
            cursor = first.context["users"].next
            rest = listed(client, environment, sort=sort, cursor=cursor)
            assert len({row.user.pk for row in first.context["rows"]}) + len(rest) == 63


@pytest.mark.usefixtures("people")
class TestExport:
    def test_has_what_is_filtered_in_the_pages_order(self, client, environment):
        sign_in(client, environment, Role.VIEWER)
        make_ban(environment=environment, user_id="ada", expires_at=NOON + DAY)
        make_connection(environment=environment, user_id="ben")
        response = client.get(
            url(environment, "transfers/export/users/file", sort="seen", format="csv")
        )
        rows = list(csv.DictReader(StringIO(response.getvalue().decode())))
        assert [row["user_id"] for row in rows] == ["ada", "ben"]
        assert rows[0]["banned_until"] == (NOON + DAY).isoformat()
        assert [row["online"] for row in rows] == ["no", "yes"]
        assert "attachment" in response["Content-Disposition"]

    def test_makes_one_query_for_all_rows(
        self, client, environment, member, django_assert_max_num_queries
    ):
        make_users(environment=environment, count=40)
        path = "transfers/export/users/file"
        with django_assert_max_num_queries(6):
            client.get(url(environment, path, tab="online", q="user-", format="csv")).getvalue()


@pytest.mark.usefixtures("people")
class TestBulk:
    def test_kick_closes_the_connections_of_the_selected(self, client, environment):
        sign_in(client, environment, Role.MODERATOR)
        for user_id in ("ada", "ada", "ben", "cleo"):
            make_connection(environment=environment, user_id=user_id)
        response = client.post(
            address("users:kick_several", environment), {"user_id": ["ada", "ben"]}, headers=HTMX
        )
        toast = json.loads(response["HX-Trigger"])["toast"]
        assert toast["message"] == "3 connections will close now"
        lines = AuditEvent.objects.filter(type="user.kicked").values_list("subject", "after")
        assert dict(lines) == {"ada": {"connections": 2}, "ben": {"connections": 1}}

    @pytest.mark.parametrize("chosen", [[], ["a/b"], [f"u{n}" for n in range(101)]])
    def test_kick_refuses_none_invalid_and_too_many(self, client, environment, member, chosen):
        kicked = client.post(
            address("users:kick_several", environment), {"user_id": chosen}, headers=HTMX
        )
        assert kicked.status_code == 409

    def test_the_ban_dialog_names_the_selected(self, client, environment, member):
        dialog = client.get(url(environment, "bans/impose/", user_id=["ada", "ben"])).text
        assert "ada ben" in dialog
        assert "Ban 2 users" in dialog

    def test_a_moderator_in_production_may_select_and_not_delete(self, client):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment, Role.MODERATOR)
        make_user(environment=environment)
        page = client.get(url(environment, "users/")).text
        assert 'name="user_id"' in page
        assert "Delete…" not in page


@pytest.mark.usefixtures("member", "people")
def test_the_panel_has_the_users_page_with_a_link_to_it(client, environment):
    response = client.get(
        address("users:detail", environment, "ada"), headers={**HTMX, "HX-Target": "panel"}
    )
    assert response.templates[0].name == "console/users/_panel.html"
    assert "Open the page" in response.text
