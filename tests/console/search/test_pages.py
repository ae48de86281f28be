"""The search: what it finds, what it offers to do, and for whom."""

import pytest

from applications.models import AuditEvent, Role
from moderation import bans
from tests.console.pages import address, sign_in, url
from tests.factories import (
    NOON,
    make_application,
    make_environment,
    make_token,
    make_user,
    make_users,
    staff_actor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true", "HX-Target": "search-results"}


def hits(client, environment, text):
    """Group → labels of its hits."""
    response = client.post(url(environment, "search/"), {"q": text}, headers=HTMX)
    assert response.status_code == 200
    return {group.title: [hit.label for hit in group.hits] for group in response.context["groups"]}


def first(client, environment, text):
    response = client.post(url(environment, "search/"), {"q": text}, headers=HTMX)
    return response.context["groups"][0].hits[0]


@pytest.mark.usefixtures("member")
class TestFinds:
    def test_users_by_id_and_name_with_their_bans(self, client, environment):
        make_user(environment=environment, user_id="mia", name="Mia Chen")
        make_user(environment=environment, user_id="chen-2")
        bans.impose(
            environment=environment,
            user_ids=["mia"],
            expires_at=None,
            reason="",
            by=staff_actor(),
            now=NOON,
        )
        assert hits(client, environment, "chen")["Users"] == ["chen-2", "mia"]
        assert first(client, environment, "mia").state == "banned"

    def test_pages_and_applications_and_users_of_the_other_environment(self, client, environment):
        there = make_environment(application=environment.application, kind="production")
        make_user(environment=there, user_id="mia")
        found = hits(client, environment, "mia")
        assert found["Elsewhere"] == ["mia"]
        assert hits(client, environment, "web")["Pages"] == ["Webhooks"]
        assert hits(client, environment, "chirp, prod")["Applications"] == ["Chirp, production"]
        assert hits(client, environment, there.app_key)["Applications"] == ["Chirp, production"]

    def test_changes_by_a_request(self, client, environment):
        AuditEvent.objects.create(
            at=NOON,
            type="ban.lifted",
            application=environment.application,
            environment=environment,
            subject="mia",
            actor_kind="staff",
            actor="grace",
            via="console",
            request_id="req-7",
        )
        assert hits(client, environment, "req-7")["Changes by this request"] == ["Ban lifted"]

    def test_nothing_of_applications_of_others(self, client, environment):
        theirs = make_application(name="Secret").environments.get(kind="production")
        make_user(environment=theirs, user_id="mia")
        for text in ("secret", "mia", theirs.app_key):
            found = hits(client, environment, text)
            assert "Elsewhere" not in found
            assert "Applications" not in found

    def test_recent_users_first_when_nothing_is_typed(self, client, environment, member):
        by = staff_actor(member.get_username())
        here = {"environment": environment, "expires_at": None, "reason": "", "by": by}
        bans.impose(**here, user_ids=["ann"], now=NOON)
        bans.impose(**here, user_ids=["bob"], now=NOON)
        assert hits(client, environment, "")["Recent"] == ["bob", "ann"]

    @pytest.mark.parametrize("text", ["%", "نور", "x" * 10_000, "a\0b", "' OR 1=1", "ban %"])
    def test_whatever_is_typed(self, client, environment, text):
        make_users(environment=environment, count=2)
        assert "Users" not in hits(client, environment, text)

    def test_a_token_only_for_the_page_why(self, client, environment):
        token = make_token(make_user(environment=environment))
        hit = first(client, environment, token)
        assert token not in hit.label + hit.url
        assert client.post(url(environment, "search/"), {"q": token}).status_code == 200

    def test_without_htmx_at_an_address_of_its_own(self, client, environment):
        response = client.post(url(environment, "search/"), {"q": "mia"})
        assert response.url == url(environment, "search/", q="mia")

    def test_with_as_many_queries_for_many_users_as_for_one(
        self, client, environment, django_assert_num_queries
    ):
        make_users(environment=environment, count=1)
        for more in ("user-x", "user-y"):
            with django_assert_num_queries(12):
                hits(client, environment, "user")
            make_users(environment=environment, count=7, prefix=more)


class TestActs:
    @pytest.mark.parametrize(
        ("text", "label", "query"),
        [
            ("ban mia for 3 days", "Ban mia", "user=mia&until=custom&custom=3+days"),
            ("Ban a, b until 2026-12-24 18:00", "Ban 2 users", "custom=2026-12-24+18%3A00"),
            ("ban mia forever because spam", "Ban mia", "until=permanent&reason=spam"),
            ("ban mia", "Ban mia", "user=mia"),
            ("mute mia for 2h", "Mute mia", "until=custom&custom=2h"),
            ("unban mia", "Lift the ban of mia", "user=mia"),
            ("kick mia", "Close the connections of mia", "/user/mia/kick/"),
            ("sign out mia", "Sign out mia", "/user/mia/sign-out/"),
            ("delete mia", "Delete mia", "/user/mia/delete/"),
            ("register mia", "Register mia", "user_id=mia"),
        ],
    )
    def test_are_read_and_open_what_does_them(
        self, client, environment, member, text, label, query
    ):
        hit = first(client, environment, text)
        assert hit.label == label
        assert query in hit.url
        assert hit.opens in {"dialog", "post"}

    def test_the_dialog_is_filled_in(self, client, environment, member):
        hit = first(client, environment, "ban mia for 3 days because spam")
        dialog = client.get(hit.url).text
        assert 'value="3 days"' in dialog
        assert 'value="spam"' in dialog

    def test_a_wrong_duration_says_what_to_enter(self, client, environment, member):
        response = client.post(url(environment, "search/"), {"q": "ban mia for ages"}, headers=HTMX)
        assert "Enter a duration" in response.text

    def test_are_shown_disabled_where_the_role_does_not_allow_them(self, client, environment):
        sign_in(client, environment, Role.VIEWER)
        hit = first(client, environment, "ban mia for 3 days")
        assert not hit.allowed
        assert "moderator" in hit.needs

    def test_of_development_are_not_offered_in_production(self, client):
        environment = make_environment(kind="production")
        sign_in(client, environment)
        assert "Do" not in hits(client, environment, "delete mia")


class TestEverywhere:
    def test_finds_applications_and_users_by_id(self, client, environment, member):
        make_user(environment=environment, user_id="mia")
        found = client.get("/console/search/", {"q": "mia"}).context["groups"]
        assert [hit.url for hit in found[0].hits] == [address("users:detail", environment, "mia")]
        found = client.get("/console/search/").context["groups"]
        assert [group.title for group in found] == ["Applications"]
