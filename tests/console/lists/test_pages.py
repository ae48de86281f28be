"""The Lists page, "may A write to B?", and the bans and lists on a user's page."""

import json

import pytest

from applications.models import Role
from moderation import bans, lists
from moderation.models import AllowlistEntry, AllowlistSwitch, BlocklistEntry
from tests.console.pages import url
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_ban,
    make_entry,
    make_environment,
    make_member,
    make_switch,
    make_user,
    staff_actor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}
MODELS = {"blocklist": BlocklistEntry, "allowlist": AllowlistEntry}


def entry(environment, owner_id, listed_id, model=BlocklistEntry):
    return make_entry(model, environment=environment, owner_id=owner_id, listed_id=listed_id)


def pairs(response):
    return [(row["entry"].owner_id, row["entry"].listed_id) for row in response.context["rows"]]


def fill(environment, owner_id, model, count):
    model.objects.bulk_create(
        model(
            environment=environment,
            owner_id=owner_id,
            listed_id=f"user-{number}",
            added_at=NOON,
            added_by="grace",
        )
        for number in range(count)
    )


def on_list(environment, owner_id, model=BlocklistEntry):
    return set(model.objects.of(environment, owner_id).values_list("listed_id", flat=True))


def toast(response):
    return json.loads(response.headers["HX-Trigger"])["toast"]


@pytest.mark.usefixtures("moderator")
class TestBrowse:
    def test_lists_newest_first_and_filters_by_owner_and_by_listed_user(self, client, environment):
        entry(environment, "ada", "eve")
        entry(environment, "bob", "eve")
        entry(environment, "ada", "mal")
        entry(make_environment(), "ada", "eve")
        for query, found in (
            ({}, [("ada", "mal"), ("bob", "eve"), ("ada", "eve")]),
            ({"owner": "ada"}, [("ada", "mal"), ("ada", "eve")]),
            ({"listed": "eve"}, [("bob", "eve"), ("ada", "eve")]),
            ({"owner": "ada", "listed": "eve"}, [("ada", "eve")]),
            ({"owner": "ad"}, []),
            ({"list": "allowlist"}, []),
        ):
            assert pairs(client.get(url(environment, "lists/", **query))) == found, query

    @pytest.mark.parametrize("wrong", ["a b", "\0", "x" * 65, "é"])
    def test_shows_the_error_of_an_invalid_filter_beside_its_field(
        self, client, environment, wrong
    ):
        entry(environment, "ada", "eve")
        response = client.get(url(environment, "lists/", owner=wrong))
        assert response.status_code == 200
        assert list(response.context["form"].errors) == ["owner"]
        assert pairs(response) == []

    def test_of_an_owner_shows_how_full_it_is_and_what_the_switch_does(self, client, environment):
        entry(environment, "ada", "eve")
        entry(environment, "ada", "bob", AllowlistEntry)
        off = client.get(url(environment, "lists/", owner="ada")).content.decode()
        assert "1 of 3,000 on the blocklist" in off
        assert "Switch on" in off
        make_switch(environment=environment, owner_id="ada")
        on = client.get(url(environment, "lists/", owner="ada")).content.decode()
        assert "The blocklist (1) has no effect" in on

    def test_makes_as_many_queries_for_thirty_as_for_three(
        self, client, environment, django_assert_num_queries
    ):
        for number in range(3):
            entry(environment, f"a{number}", f"b{number}")
        with django_assert_num_queries(7):
            client.get(url(environment, "lists/"), headers=HTMX)
        for number in range(27):
            entry(environment, f"c{number}", f"d{number}")
        with django_assert_num_queries(7):
            client.get(url(environment, "lists/"), headers=HTMX)


@pytest.mark.usefixtures("moderator")
@pytest.mark.parametrize("kind", ["blocklist", "allowlist"])
class TestAdd:
    def add(self, client, environment, kind, ids, owner="ada", headers=HTMX, **options):
        address = url(environment, "lists/add/", list=kind, owner=owner)
        return client.post(address, {"user_ids": ids}, headers=headers, **options)

    def test_puts_several_on_the_list_and_undo_takes_them_off(self, client, environment, kind):
        entry(environment, "ada", "old", MODELS[kind])
        response = self.add(client, environment, kind, "eve, mal\nold")
        assert response.status_code == 204
        assert on_list(environment, "ada", MODELS[kind]) == {"eve", "mal", "old"}
        assert "1 already on it" in toast(response)["message"]
        client.post(toast(response)["undo"], headers=HTMX)
        assert on_list(environment, "ada", MODELS[kind]) == {"old"}, "only what it had added"

    @pytest.mark.parametrize(
        ("ids", "error"),
        [
            ("", "required"),
            (",", "at least one"),
            ("no/id", "not a user id"),
            ("eve ada", "their own list"),
            ("eve mal", "more than 3,000"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_shows_the_error_beside_the_field(self, client, environment, kind, ids, error, headers):
        fill(environment, "ada", MODELS[kind], lists.MAX_ENTRIES - 1)
        response = self.add(client, environment, kind, ids, headers=headers)
        assert response.status_code == 422
        form = response.context["entries_form"]
        assert error in str(form.errors["user_ids"])
        assert form["user_ids"].value() == ids
        assert len(on_list(environment, "ada", MODELS[kind])) == lists.MAX_ENTRIES - 1

    def test_without_htmx_shows_the_list_and_can_be_reloaded(self, client, environment, kind):
        response = self.add(client, environment, kind, "eve", headers={}, follow=True)
        assert pairs(response) == [("ada", "eve")]
        reload = client.get(url(environment, "lists/add/", list=kind, owner="ada"))
        assert (reload.status_code, on_list(environment, "ada", MODELS[kind])) == (302, {"eve"})

    def test_to_the_list_of_an_invalid_id_is_refused(self, client, environment, kind):
        assert self.add(client, environment, kind, "eve", owner="no/id").status_code == 409
        assert self.add(client, environment, kind, "eve", owner="").status_code == 409


@pytest.mark.usefixtures("moderator")
class TestRemove:
    def test_takes_several_off_and_undo_puts_them_back(self, client, environment):
        for listed_id in ("eve", "mal", "pat"):
            entry(environment, "ada", listed_id)
        address = url(environment, "lists/remove/", list="blocklist", owner="ada")
        response = client.post(address, {"listed": ["eve", "mal", "never"]}, headers=HTMX)
        assert on_list(environment, "ada") == {"pat"}
        client.post(toast(response)["undo"], headers=HTMX)
        assert on_list(environment, "ada") == {"eve", "mal", "pat"}

    def test_twice_is_not_an_error(self, client, environment):
        entry(environment, "ada", "eve")
        address = url(environment, "lists/remove/", list="blocklist", owner="ada")
        for expected in ("Removed eve", "Nothing to remove"):
            response = client.post(address, {"listed": "eve"}, headers=HTMX)
            assert toast(response)["message"].startswith(expected)
        assert toast(response)["undo"] == ""

    def test_an_undo_on_a_full_list_is_refused(self, client, environment):
        fill(environment, "ada", BlocklistEntry, lists.MAX_ENTRIES)
        address = url(environment, "lists/add/", list="blocklist", owner="ada", listed="mal")
        response = client.post(address, headers=HTMX)
        assert response.status_code == 409
        assert b"more than" in response.content


@pytest.mark.usefixtures("moderator")
class TestSwitch:
    def test_switches_on_and_off_and_can_be_undone(self, client, environment):
        address = url(environment, "lists/switch/")
        response = client.post(address, {"owner": "ada", "on": "yes"}, headers=HTMX)
        assert AllowlistSwitch.objects.filter(environment=environment, owner_id="ada").exists()
        client.post(toast(response)["undo"], headers=HTMX)
        assert not AllowlistSwitch.objects.exists()
        again = client.post(address, {"owner": "ada", "on": "no"}, headers=HTMX)
        assert "already off" in toast(again)["message"]
        assert client.post(address, {"owner": "no/id"}, headers=HTMX).status_code == 409


@pytest.mark.usefixtures("moderator")
class TestOfUser:
    def test_shows_the_ban_the_ledger_and_the_lists(self, client, environment):
        make_user(environment=environment, user_id="mia")
        make_ban(environment=environment, user_id="mia", expires_at=NOON + HOUR)
        bans.impose(
            environment=environment,
            user_ids=["mia"],
            expires_at=NOON + DAY,
            reason="more",
            by=staff_actor(),
            now=NOON,
        )
        entry(environment, "mia", "eve")
        entry(environment, "bob", "mia", AllowlistEntry)
        response = client.get(url(environment, "user/mia/moderation/"), headers=HTMX)
        assert response.context["current"].ban.expires_at == NOON + DAY
        assert [row.state for row in response.context["ledger"]] == ["in_force", "replaced"]
        assert [[user.user_id for user in each["users"]] for each in response.context["lists"]] == [
            ["eve"],
            [],
            [],
            ["bob"],
        ]

    def test_is_a_page_without_htmx_and_accepts_any_id(self, client, environment):
        assert client.get(url(environment, "user/a+b=c/moderation/")).status_code == 200
        assert client.get(url(environment, "user/a%00b/moderation/")).status_code == 404

    def test_makes_as_many_queries_for_thirty_as_for_three(
        self, client, environment, django_assert_num_queries
    ):
        def add(numbers):
            for number in numbers:
                make_ban(
                    environment=environment,
                    user_id="mia",
                    closed_at=NOON,
                    closed_by="grace",
                    outcome="lifted",
                )
                entry(environment, "mia", f"b{number}")
                entry(environment, f"c{number}", "mia")

        address = url(environment, "user/mia/moderation/")
        add(range(3))
        with django_assert_num_queries(19):
            client.get(address, headers=HTMX)
        add(range(3, 30))
        with django_assert_num_queries(19):
            client.get(address, headers=HTMX)


def test_a_viewer_can_read_and_cannot_change(client, environment):
    entry(environment, "ada", "eve")
    viewer = make_member(application=environment.application, role=Role.VIEWER)
    client.force_login(viewer.account)
    page = client.get(url(environment, "lists/", owner="ada"))
    assert "Needs role" in page.content.decode()
    for address in ("user/ada/moderation/",):
        assert client.get(url(environment, address)).status_code == 200
    query = {"list": "blocklist", "owner": "ada", "listed": "eve"}
    for address in ("lists/add/", "lists/remove/", "lists/switch/"):
        assert client.post(url(environment, address, **query)).status_code == 403
    assert on_list(environment, "ada") == {"eve"}


def test_pages_of_another_application_are_404(client, environment):
    stranger = make_member(application=make_environment().application)
    client.force_login(stranger.account)
    for address in ("lists/", "lists/may-message/", "bans/", "user/ada/moderation/"):
        assert client.get(url(environment, address)).status_code == 404
