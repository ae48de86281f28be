"""The Mutes page, and imposing, lifting and undoing."""

import json

import pytest

from applications.models import Role
from moderation.models import Mute
from tests.console.pages import sign_in, url
from tests.factories import DAY, HOUR, NOON, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


def mute(environment, user_id="mia", channel="direct", expires_at=None):
    return Mute.objects.create(
        environment=environment,
        user_id=user_id,
        channel=channel,
        imposed_at=NOON - DAY,
        imposed_by="grace",
        expires_at=expires_at,
    )


@pytest.mark.usefixtures("moderator")
class TestPage:
    def test_lists_who_is_muted_in_a_channel_and_counts_the_others(self, client, environment):
        make_user(environment=environment, user_id="mia", name="Mia")
        mute(environment)
        mute(environment, "bob", "group", NOON + HOUR)
        mute(environment, "over", "direct", NOON)
        response = client.get(url(environment, "mutes/"))
        assert [row.user_id for row, _ in response.context["rows"]] == ["mia"]
        assert [tab["count"].value for tab in response.context["tabs"]] == [1, 1, 0]
        groups = client.get(url(environment, "mutes/", channel="group"))
        assert [row.user_id for row, _ in groups.context["rows"]] == ["bob"]

    @pytest.mark.parametrize(("prefix", "found"), [("mi", ["mia"]), ("x", []), ("a b", [])])
    def test_searches_by_prefix(self, client, environment, prefix, found):
        mute(environment)
        response = client.get(url(environment, "mutes/", q=prefix))
        assert [row.user_id for row, _ in response.context["rows"]] == found


@pytest.mark.usefixtures("moderator")
class TestActions:
    def test_a_lift_is_undone_with_the_same_end(self, client, environment):
        mute(environment, expires_at=NOON + HOUR)
        lifted = client.post(
            url(environment, "mutes/lift/", channel="direct"), {"user": "mia"}, headers=HTMX
        )
        toast = json.loads(lifted["HX-Trigger"])["toast"]
        assert toast["message"] == "Lifted the mute of mia"
        assert not Mute.objects.exists()
        client.post(toast["undo"], headers=HTMX)
        assert Mute.objects.get().expires_at == NOON + HOUR

    def test_an_undo_that_comes_too_late_is_refused(self, client, environment):
        for until in (NOON.isoformat(), "2026-03-09T12:00:00", "soon"):
            query = {"user": "mia", "channel": "direct", "until": until}
            undone = client.post(url(environment, "mutes/undo-lift/", **query), headers=HTMX)
            assert undone.status_code == 409
        assert not Mute.objects.exists()

    def test_the_dialog_mutes_in_several_kinds_of_conversation(self, client, environment):
        fields = {"user_ids": "mia bob", "channels": ["direct", "room"], "until": "24h"}
        response = client.post(url(environment, "mutes/impose/"), fields, headers=HTMX)
        assert json.loads(response["HX-Trigger"])["mutes-changed"]
        assert Mute.objects.filter(expires_at=NOON + DAY).count() == 4

    def test_the_dialog_keeps_what_was_entered(self, client, environment):
        fields = {"user_ids": "mia", "until": "custom", "custom": "soon"}
        response = client.post(url(environment, "mutes/impose/"), fields, headers=HTMX)
        assert response.status_code == 422
        assert set(response.context["form"].errors) == {"channels", "custom"}
        assert "soon" in response.text


def test_the_users_page_shows_mutes_and_lifts_them(client, environment):
    sign_in(client, environment, Role.MODERATOR)
    mute(environment)
    page = client.get(url(environment, "user/mia/moderation/")).text
    assert "Direct messages" in page
    assert url(environment, "mutes/lift/", channel="direct") in page
