"""The list of users and a user's page."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Plan, Role
from moderation.models import BlocklistEntry
from tests.console.pages import address, sign_in
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_connection,
    make_deactivated,
    make_entry,
    make_environment,
    make_gateway,
    make_user,
    make_users,
    staff_actor,
)
from users import deletion, profiles

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


def get(client, environment, page, *args, headers=None, **query):
    url = address(page, environment, *args)
    return client.get(f"{url}?{urlencode(query)}" if query else url, headers=headers)


def listed(response):
    return [row.user.user_id for row in response.context["rows"]]


def queries(client, environment, page, *args):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert get(client, environment, page, *args).status_code == 200
    return len(captured)


@pytest.mark.usefixtures("member")
class TestUserList:
    def test_shows_users_newest_first_and_a_page_at_a_time(self, client, environment):
        users = make_users(environment=environment, count=60)
        newest_first = [user.user_id for user in reversed(users)]

        first = get(client, environment, "users:index")
        second = get(
            client, environment, "users:index", cursor=first.context["users"].next, headers=HTMX
        )

        assert listed(first) == newest_first[:50]
        assert listed(second) == newest_first[50:]
        assert second.templates[0].name == "console/users/_list.html"

    def test_finds_an_exact_id_first_and_all_that_begin_with_it_by_id(self, client, environment):
        for user_id in ("mia.b", "mia", "Mia", "mia+a", "ami"):
            make_user(environment=environment, user_id=user_id)

        response = get(client, environment, "users:index", q=" mia ")

        assert listed(response) == ["mia", "mia+a", "mia.b"]

    def test_says_if_the_search_cannot_be_an_id(self, client, environment):
        make_user(environment=environment)

        response = get(client, environment, "users:index", q="a\0b %")

        assert listed(response) == []
        assert "This cannot be a user id" in response.text

    def test_lists_users_in_tabs_by_their_current_state(self, client, environment):
        make_user(environment=environment, user_id="never")
        for user_id in ("online", "dead", "banned", "once-banned"):
            make_user(environment=environment, user_id=user_id, last_seen_at=NOON - HOUR)
        make_connection(environment=environment, user_id="online")
        make_connection(
            environment=environment, user_id="dead", gateway=make_gateway(lease_until=NOON)
        )
        make_ban(environment=environment, user_id="banned", expires_at=None)
        make_ban(environment=environment, user_id="once-banned", expires_at=NOON)
        make_ban(environment=environment, user_id="a-stranger")

        def tab(word):
            return listed(get(client, environment, "users:index", tab=word))

        assert tab("never") == ["never"]
        assert tab("online") == ["online"]
        assert tab("banned") == ["banned"]
        assert len(tab("anything else")) == 5

    def test_links_to_a_deactivated_or_banned_id_of_the_search(self, client, environment):
        make_deactivated(environment=environment, user_id="gone")
        make_ban(environment=environment, user_id="stranger")

        gone = get(client, environment, "users:index", q="gone").text
        stranger = get(client, environment, "users:index", q="stranger").text

        assert address("users:detail", environment, "gone") in gone
        assert address("users:detail", environment, "stranger") in stranger

    def test_shows_the_first_page_for_an_invalid_cursor(self, client, environment):
        make_user(environment=environment, user_id="mia")

        assert listed(get(client, environment, "users:index", cursor="nonsense")) == ["mia"]

    def test_shows_how_to_register_the_first_user(self, client, environment):
        response = get(client, environment, "users:index")

        assert environment.app_key in response.text
        assert "/user/getToken.json" in response.text
        assert address("users:load_samples", environment) in response.text

    def test_makes_as_many_queries_for_thirty_users_as_for_three(self, client, environment):
        make_users(environment=environment, count=3)
        few = queries(client, environment, "users:index")
        make_users(environment=environment, count=30, prefix="more-")
        make_ban(environment=environment, user_id="more-00001")
        make_connection(environment=environment, user_id="more-00002")

        # Session, account, environment, member; four counts; users, bans, connections.
        assert queries(client, environment, "users:index") == few == 13


class TestDeletingFromTheList:
    def test_is_disabled_in_production_with_the_reason(self, client):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment)
        make_user(environment=environment)

        page = get(client, environment, "users:index").text

        assert str(deletion.NotInProduction()) in page
        assert "Delete…" not in page

    def test_is_disabled_for_a_viewer_and_names_the_roles(self, client, environment):
        sign_in(client, environment, Role.VIEWER)
        make_user(environment=environment)

        page = get(client, environment, "users:index").text

        assert "Needs role tester or admin or owner" in page
        assert 'name="user_id"' not in page


@pytest.mark.usefixtures("member")
class TestUserDetail:
    def test_shows_a_user(self, client, environment):
        make_user(environment=environment, user_id="mia+x=1", name="Mia", last_seen_at=NOON)
        make_connection(environment=environment, user_id="mia+x=1", platform="iOS")

        response = get(client, environment, "users:detail", "mia+x=1")

        assert "Mia" in response.text
        assert "iOS" in response.text
        assert response.context["verdict"].rule == "registered"

    def test_says_until_when_a_user_is_banned_and_offers_to_change_or_lift(
        self, client, environment
    ):
        make_user(environment=environment, user_id="mia")
        ban = make_ban(environment=environment, user_id="mia", expires_at=NOON + DAY)

        response = get(client, environment, "users:detail", "mia")

        assert response.context["verdict"].until == NOON + DAY
        assert address("bans:change", environment, ban.pk) in response.text
        assert address("bans:lift", environment) in response.text

    def test_shows_a_deactivated_id_with_the_call_that_reactivates(self, client, environment):
        make_deactivated(environment=environment, user_id="gone", erased={"blocklist entries": 3})

        page = get(client, environment, "users:detail", "gone").text

        assert "3 blocklist entries" in page
        assert "/user/reactivate.json" in page
        assert "/v4/user/restore" in page
        assert address("users:delete", environment, "gone") not in page

    @pytest.mark.parametrize(
        "named",
        [
            lambda environment: make_ban(environment=environment, user_id="x"),
            lambda environment: make_ban(environment=environment, user_id="x", expires_at=NOON),
            lambda environment: make_entry(
                BlocklistEntry, environment=environment, owner_id="x", listed_id="y"
            ),
            lambda environment: make_entry(
                BlocklistEntry, environment=environment, owner_id="y", listed_id="x"
            ),
        ],
    )
    def test_shows_an_unregistered_id_that_other_records_name(self, client, environment, named):
        named(environment)

        assert "Not registered" in get(client, environment, "users:detail", "x").text

    def test_shows_a_deleted_user_and_the_deletion(self, client, environment):
        make_user(environment=environment, user_id="mia")
        deletion.delete(environment=environment, user_ids=["mia"], by=staff_actor(), now=NOON)

        page = get(client, environment, "users:detail", "mia").text

        assert "Not registered" in page
        assert "User deleted" in page

    def test_is_404_for_an_id_that_nothing_names(self, client, environment):
        make_user(environment=make_environment(), user_id="elsewhere")

        assert get(client, environment, "users:detail", "elsewhere").status_code == 404
        assert get(client, environment, "users:detail", "a\0b").status_code == 404

    def test_pages_the_timeline_separately(self, client, environment):
        make_user(environment=environment, user_id="mia")
        for number in range(25):
            profiles.update(
                environment=environment,
                user_id="mia",
                name=f"Name {number}",
                by=api_actor(),
                now=NOON,
            )
        first = get(client, environment, "users:detail", "mia")

        second = get(
            client,
            environment,
            "users:detail",
            "mia",
            cursor=first.context["events"].next,
            headers={**HTMX, "HX-Target": "timeline"},
        )

        assert second.templates[0].name == "console/users/_timeline.html"
        assert "Name 4" in second.text
        assert "Name 5" not in second.text

    def test_makes_as_many_queries_with_much_history_as_without(self, client, environment):
        make_user(environment=environment, user_id="mia")
        few = queries(client, environment, "users:detail", "mia")
        for number in range(15):
            make_connection(environment=environment, user_id="mia")
            make_ban(
                environment=environment,
                user_id="mia",
                closed_at=NOON - DAY + HOUR * number,
                closed_by="grace",
                outcome="lifted",
            )
            profiles.update(
                environment=environment, user_id="mia", name=str(number), by=api_actor(), now=NOON
            )

        # Session, account, environment, member; user, tombstone, ban; connections; timeline;
        # and the gate.
        assert queries(client, environment, "users:detail", "mia") == few == 10
