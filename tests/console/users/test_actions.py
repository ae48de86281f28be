"""What staff do with users on their pages: register, edit, sign out, kick, delete."""

import json

import pytest

from applications.models import FREE_USER_LIMIT, AuditEvent, Plan, Role
from tests.console.pages import address, messages, sign_in
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_connection,
    make_deactivated,
    make_environment,
    make_user,
    make_users,
)
from users import tokens
from users.deletion import NotInProduction
from users.models import AppUser, Connection, Friendship

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def mia(environment):
    return make_user(environment=environment, user_id="mia", name="Mia")


def toast(response):
    assert response.status_code == 204
    return json.loads(response["HX-Trigger"])["toast"]


@pytest.mark.usefixtures("member")
class TestRegister:
    def post(self, client, environment, **fields):
        return client.post(address("users:register", environment), fields, headers=HTMX)

    def test_shows_the_first_access_token_once(self, client, environment):
        response = self.post(client, environment, user_id="mia", name="Mia")

        made = response.context["made"]
        user = tokens.authenticate(environment=environment, token=made.token, now=NOON)
        assert user.user_id == "mia"
        assert made.token in response.text
        assert response["Cache-Control"] == "no-store"
        assert response["HX-Trigger"] == "users-changed"
        assert AuditEvent.objects.about("mia").get().type == "user.registered"

    @pytest.mark.parametrize(
        ("user_id", "reason"),
        [
            ("mia", "This id is already registered."),
            ("gone", "This id is deactivated."),
            ("a/b", "A user id is 1 to 64 Latin letters"),
            ("", "This field is required."),
        ],
    )
    def test_shows_the_error_beside_the_field_and_keeps_the_input(
        self, client, environment, mia, user_id, reason
    ):
        make_deactivated(environment=environment, user_id="gone")

        response = self.post(client, environment, user_id=user_id, name="Kept")

        assert response.status_code == 422
        assert reason in str(response.context["form"].errors["user_id"])
        assert 'value="Kept"' in response.text
        assert AppUser.objects.count() == 1

    def test_says_how_to_free_places_if_none_is_free(self, client, environment):
        make_users(environment=environment, count=FREE_USER_LIMIT)

        response = self.post(client, environment, user_id="one-more")

        assert "Delete test users" in response.text
        assert AppUser.objects.count() == FREE_USER_LIMIT

    def test_is_a_page_of_its_own_without_htmx(self, client, environment):
        response = client.get(address("users:register", environment))

        assert response.templates[0].name == "dialog_page.html"
        assert "HX-Request" in response["Vary"]

    def test_loads_samples_once(self, client, environment):
        url = address("users:load_samples", environment)

        first, second = (client.post(url, headers=HTMX) for _ in range(2))

        assert toast(first)["message"] == "20 sample users registered"
        assert "No sample user" in toast(second)["message"]
        assert AppUser.objects.count() == 20


class TestTestUsersInProduction:
    @pytest.mark.parametrize("page", ["users:register", "users:load_samples"])
    def test_are_refused(self, client, page):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment)

        response = client.post(address(page, environment), {"user_id": "mia"})

        assert response.status_code == 409
        assert not AppUser.objects.exists()


@pytest.mark.usefixtures("member", "mia")
class TestEdit:
    def test_changes_name_and_avatar(self, client, environment):
        response = client.post(
            address("users:edit", environment, "mia"),
            {"name": "Mia Chen", "avatar_url": "https://example.com/a.png"},
            headers=HTMX,
        )

        assert toast(response)["message"] == "mia updated"
        assert json.loads(response["HX-Trigger"])["users-changed"]
        assert AppUser.objects.get().name == "Mia Chen"

    def test_shows_errors_and_keeps_the_input(self, client, environment):
        response = client.post(
            address("users:edit", environment, "mia"), {"name": "x" * 200, "avatar_url": "kept"}
        )

        assert response.status_code == 422
        assert "name" in response.context["form"].errors
        assert 'value="kept"' in response.text


@pytest.mark.usefixtures("member")
class TestTokens:
    def test_sign_out_everywhere_invalidates_tokens_and_closes_connections(
        self, client, environment, mia
    ):
        token = tokens.issue(mia, now=NOON - HOUR)
        make_connection(environment=environment, user_id="mia")

        client.post(address("users:sign_out", environment, "mia"), headers=HTMX)

        assert Connection.objects.get().kicked_at == NOON
        with pytest.raises(tokens.TokenRevoked):
            tokens.authenticate(environment=environment, token=token, now=NOON)

    def test_expire_reads_its_moment_in_utc(self, client, environment, mia):
        client.post(
            address("users:expire_tokens", environment, "mia"), {"before": "2026-03-02T11:30:00"}
        )

        mia.refresh_from_db()
        assert mia.tokens_valid_from == NOON - HOUR / 2

    def test_expire_refuses_a_moment_in_the_future(self, client, environment, mia):
        response = client.post(
            address("users:expire_tokens", environment, "mia"), {"before": "2026-03-02T12:00:01"}
        )

        mia.refresh_from_db()
        assert response.status_code == 422
        assert mia.tokens_valid_from is None


class TestKick:
    def test_closes_connections_as_a_moderator(self, client, environment, mia):
        sign_in(client, environment, Role.MODERATOR)
        make_connection(environment=environment, user_id="mia")
        url = address("users:kick", environment, "mia")

        first, second = (client.post(url, headers=HTMX) for _ in range(2))

        assert toast(first)["message"] == "1 connection of mia will close now"
        assert toast(second)["message"] == "mia has no open connection"


@pytest.mark.usefixtures("mia")
class TestDelete:
    def test_requires_the_id_to_be_typed(self, client, environment, member):
        url = address("users:delete", environment, "mia")

        assert "mia" in client.get(url).text
        assert client.post(url, {"confirm": "Mia"}).status_code == 422
        assert AppUser.objects.exists()

    def test_deletes_and_goes_back_to_the_list(self, client, environment, member):
        response = client.post(
            address("users:delete", environment, "mia"), {"confirm": "mia"}, follow=True
        )

        assert response.redirect_chain == [(address("users:index", environment), 302)]
        assert messages(response) == ["mia was deleted"]
        assert not AppUser.objects.exists()

    def test_is_refused_in_production_with_the_reason_and_deletes_nobody(self, client):
        environment = make_environment(kind="production", plan=Plan.PRO)
        sign_in(client, environment)
        make_user(environment=environment, user_id="mia")

        response = client.post(address("users:delete", environment, "mia"), {"confirm": "mia"})

        assert response.status_code == 409
        assert str(NotInProduction()) in response.text
        assert AppUser.objects.filter(environment=environment).exists()


@pytest.mark.usefixtures("member")
class TestStalePages:
    @pytest.mark.parametrize(
        ("page", "fields"),
        [
            ("users:edit", {"name": "x"}),
            ("users:sign_out", {}),
            ("users:expire_tokens", {"before": "2026-03-02T11:00"}),
            ("users:delete", {"confirm": "mia"}),
        ],
    )
    def test_say_that_the_user_is_gone(self, client, environment, page, fields):
        url = address(page, environment, "mia")

        by_form = client.post(url, fields, follow=True)
        by_htmx = client.post(url, fields, headers=HTMX)

        gone = "mia is no longer registered. Nothing was changed"
        assert messages(by_form) == [gone]
        assert by_htmx["HX-Redirect"] == address("users:index", environment)

    def test_an_invalid_id_is_404(self, client, environment):
        place = address("users:index", environment).replace("users/", "user/")

        assert client.post(f"{place}a%00b/kick/").status_code == 404
        assert client.post(f"{place}{'x' * 65}/kick/").status_code == 404


@pytest.mark.usefixtures("member")
class TestFriends:
    def test_are_listed_with_their_names(self, client, environment, mia):
        make_user(environment=environment, user_id="jon", name="Jon Okafor")
        Friendship.objects.create(
            environment=environment, owner_id="mia", friend_id="jon", added_at=NOON - DAY
        )

        page = client.get(address("users:friends", environment, "mia"), headers=HTMX).text

        assert "Jon Okafor" in page
        assert address("users:detail", environment, "jon") in page
