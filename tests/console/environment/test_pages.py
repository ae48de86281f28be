from datetime import timedelta

import pytest

from applications import hourly
from applications.hourly import Figure
from moderation import ban_sweep, bans
from tests.console.pages import address, sign_in
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_connection,
    make_deactivated,
    make_environment,
    make_users,
    staff_actor,
)
from users import registration
from users.models import RegistrationTally

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def get(client, environment):
    sign_in(client, environment)
    return lambda **headers: client.get(address("environment:index", environment), **headers)


class TestEnvironment:
    def test_shows_how_full_it_is_and_when_it_will_be_full(self, environment, get):
        make_users(environment=environment, count=87)
        RegistrationTally.objects.create(
            environment=environment, day=NOON, shard=0, count=30
        )  # about two per day, over 14 days
        assert "87 of 100, 13 free, full in about 6 days" in get().text

    def test_counts_bans_connections_and_deactivated(self, environment, get):
        make_ban(environment=environment, user_id="soon", expires_at=NOON + HOUR)
        make_ban(environment=environment, user_id="later", expires_at=NOON + 2 * DAY)
        make_ban(environment=environment, user_id="never", expires_at=None)
        make_ban(environment=environment, user_id="over", expires_at=NOON)
        make_connection(environment=environment, user_id="mia")
        make_deactivated(environment=environment)
        context = get().context
        assert context["banned"].value == 3
        assert context["ending_soon"].value == 1
        assert context["online"].value == 1
        assert context["deactivated"].value == 1

    def test_production_leads_with_its_last_day(self, client):
        production = make_environment(kind="production")
        sign_in(client, production)
        make_connection(environment=production, user_id="mia")
        hourly.raise_to(Figure.ONLINE, {production.pk: 7}, now=NOON - 2 * HOUR)
        hourly.note(production.pk, Figure.CONNECTIONS_REFUSED, at=NOON.timestamp(), times=3)
        hourly.note(production.pk, Figure.CALLS_REFUSED, at=NOON.timestamp())
        hourly.note(production.pk, Figure.CALLS_REFUSED, at=(NOON - DAY).timestamp(), times=40)
        hourly.write()
        for hours in (0, 23, 24):  # the last one was before these 24 hours
            bans.impose(
                environment=production,
                user_ids=[f"banned-{hours}"],
                expires_at=None,
                reason="",
                by=api_actor(),
                now=NOON - hours * HOUR,
            )
        page = client.get(address("environment:index", production))
        online, refused, banned = page.context["charts"]
        assert (online.headline.value, online.note) == (1, "at most 7 at once")
        assert online.points[-3:] == [("10:00 UTC", 7), ("11:00 UTC", 0), ("12:00 UTC", 1)]
        assert (refused.headline, refused.note) == (4, "3 connections, 1 API call")
        assert (banned.headline, banned.points[0]) == (2, ("13:00 UTC", 1))
        assert page.text.index("The last 24 hours") < page.text.index("Recent changes")

    def test_without_redis_production_still_shows_who_is_online(self, client, settings):
        settings.REDIS_URL = "redis://127.0.0.1:1"
        production = make_environment(kind="production")
        sign_in(client, production)
        make_connection(environment=production, user_id="mia")
        page = client.get(address("environment:index", production))
        assert page.context["charts"][0].headline.value == 1
        assert "Not known while Redis is down." in page.text

    def test_lists_recent_changes_of_this_environment_only(self, environment, get):
        other = make_environment(kind="production", application=environment.application)
        for place, user_id in ((environment, "here"), (other, "elsewhere")):
            registration.register_by_staff(
                environment=place, user_id=user_id, name="", by=staff_actor(), now=NOON
            )
        response = get()
        assert "User registered by staff" in response.text
        assert "here" in response.text
        assert "elsewhere" not in response.text

    @pytest.mark.parametrize(
        ("ran", "text"),
        [
            (timedelta(seconds=3), "as they end"),
            (timedelta(minutes=5), "The sweep is late"),
            (None, "The sweep has never run"),
        ],
    )
    def test_says_whether_the_ban_sweep_is_healthy(self, get, ran, text):
        if ran is not None:
            ban_sweep.note_sweep(closed=0, now=NOON - ran)
        assert text in get().text

    def test_sends_only_the_live_part_to_htmx(self, get):
        page, part = get(), get(headers={"HX-Request": "true"})
        assert "<html" in page.text
        assert "<html" not in part.text
        assert part.text.strip().startswith('<div id="live"') or 'id="live"' in part.text
        assert "HX-Request" in part["Vary"]

    def test_makes_no_more_queries_for_more_users(
        self, environment, get, django_assert_max_num_queries
    ):
        make_users(environment=environment, count=90)
        for number in range(20):
            make_ban(environment=environment, user_id=f"user-{number:05}")
        with django_assert_max_num_queries(15):
            get()
