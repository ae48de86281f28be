"""The Bans page and the dialogs that change bans."""

import csv
import html
import io
import json
import re

import pytest

from applications.models import AuditEvent, Role
from moderation import bans
from moderation.models import Ban
from tests.console.pages import sign_in, url
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_ban,
    make_connection,
    make_deactivated,
    make_environment,
    make_member,
    make_user,
    staff_actor,
)
from users import presence
from users.models import Connection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]

HTMX = {"HX-Request": "true"}


def shown(response):
    return [row.ban.user_id for row in response.context["rows"]]


def events(response):
    return json.loads(response.headers["HX-Trigger"])


def in_force(user_id="mallory"):
    return Ban.objects.in_force(NOON).get(user_id=user_id)


@pytest.mark.usefixtures("moderator")
class TestBanList:
    def test_in_force_lists_the_soonest_end_first_and_only_the_clock_decides(
        self, client, environment
    ):
        for user_id, expires_at in (
            ("later", NOON + DAY),
            ("never", None),
            ("soon", NOON + HOUR),
            ("over", NOON),
        ):
            make_ban(environment=environment, user_id=user_id, expires_at=expires_at)
        make_ban(environment=make_environment(), user_id="elsewhere")
        assert shown(client.get(url(environment, "bans/"))) == ["soon", "later", "never"]

    def test_tabs_list_bans_by_outcome_last_ended_first(self, client, environment):
        actor = staff_actor()
        make_ban(environment=environment, user_id="over", expires_at=NOON)
        for user_id in ("first", "second"):
            make_ban(environment=environment, user_id=user_id)
        make_ban(environment=environment, user_id="waits", expires_at=NOON)
        bans.lift(environment=environment, user_ids=["first"], by=actor, now=NOON)
        bans.lift(environment=environment, user_ids=["second"], by=actor, now=NOON + HOUR)
        Ban.objects.filter(user_id="over").update(
            closed_at=NOON, closed_by="system", outcome="expired"
        )
        assert shown(client.get(url(environment, "bans/", tab="lifted"))) == ["second", "first"]
        expired = client.get(url(environment, "bans/", tab="expired"))
        assert shown(expired) == ["over"]
        assert "1 more ban has expired" in expired.content.decode(), "one awaits the sweep"
        everything = client.get(url(environment, "bans/", tab="all"))
        assert shown(everything) == ["waits", "second", "first", "over"]
        assert [tab["count"].value for tab in everything.context["tabs"]] == [0, 2, 1, 4]

    def test_pages_by_keyset_without_losing_the_tab(self, client, environment):
        for number in range(51):
            make_ban(environment=environment, user_id=f"user-{number:02}")
        first = client.get(url(environment, "bans/"))
        cursor = first.context["pages"].next
        second = client.get(url(environment, "bans/", cursor=cursor))
        assert shown(second) == ["user-50"]
        assert shown(client.get(url(environment, "bans/", cursor="nonsense"))) == shown(first)

    def test_finds_by_prefix_or_exact_id(self, client, environment):
        for user_id in ("mia", "mia.2", "mi", "Mia"):
            make_ban(environment=environment, user_id=user_id)
        assert shown(client.get(url(environment, "bans/", q="mia"))) == ["mia", "mia.2"]
        assert shown(client.get(url(environment, "bans/", user="mia"))) == ["mia"]
        nobody = client.get(url(environment, "bans/", q="\0'"))
        assert shown(nobody) == []
        assert "No such ban" in nobody.content.decode()

    def test_marks_ids_that_are_not_registered(self, client, environment):
        make_user(environment=environment, user_id="known", name="Kay")
        make_deactivated(environment=environment, user_id="gone")
        for user_id in ("known", "gone", "stranger"):
            make_ban(environment=environment, user_id=user_id)
        rows = client.get(url(environment, "bans/")).context["rows"]
        assert {row.ban.user_id: (row.user.name, row.user.state) for row in rows} == {
            "known": ("Kay", ""),
            "gone": ("", "deactivated"),
            "stranger": ("", "not_registered"),
        }

    def test_shows_the_share_of_time_that_has_passed(self, client, environment):
        make_ban(environment=environment, imposed_at=NOON - HOUR, expires_at=NOON + 3 * HOUR)
        [row] = client.get(url(environment, "bans/")).context["rows"]
        assert row.elapsed == 25

    @pytest.mark.parametrize("tab", ["in_force", "all"])
    def test_makes_as_many_queries_for_thirty_as_for_three(
        self, client, environment, django_assert_num_queries, tab
    ):
        for number in range(3):
            make_ban(environment=environment, user_id=f"a{number}")
        with django_assert_num_queries(11):
            client.get(url(environment, "bans/", tab=tab), headers=HTMX)
        for number in range(27):
            make_ban(environment=environment, user_id=f"b{number}")
        with django_assert_num_queries(11):
            client.get(url(environment, "bans/", tab=tab), headers=HTMX)


@pytest.mark.usefixtures("moderator")
class TestBanDialog:
    def test_is_a_fragment_for_htmx_and_a_page_without(self, client, environment):
        address = url(environment, "bans/impose/", user="a+b=c")
        page, fragment = client.get(address), client.get(address, headers=HTMX)
        assert b"<!doctype html>" in page.content
        assert b"<!doctype" not in fragment.content
        assert all(b"a+b=c" in response.content for response in (page, fragment))

    @pytest.mark.parametrize(
        ("given", "expires_at"),
        [
            ({"until": "1h"}, NOON + HOUR),
            ({"until": "30d"}, NOON + 30 * DAY),
            ({"until": "permanent"}, None),
            ({"until": "custom", "custom": "2h 30m"}, NOON + 2.5 * HOUR),
            (
                {"until": "custom", "custom": "2026-03-03 14:00", "zone": "Europe/Berlin"},
                NOON + DAY + HOUR,
            ),
        ],
    )
    def test_bans_until_what_was_chosen(self, client, environment, given, expires_at):
        form = {"user_ids": "mallory, trudy", "reason": "spam", **given}
        response = client.post(url(environment, "bans/impose/"), form, headers=HTMX)
        assert response.status_code == 204
        assert {"close-dialog", "bans-changed", "toast"} <= set(events(response))
        for user_id in ("mallory", "trudy"):
            assert in_force(user_id).expires_at == expires_at
        assert AuditEvent.objects.filter(type="ban.imposed").count() == 2

    @pytest.mark.parametrize("told", [False, True])
    def test_tells_the_user_the_reason_only_if_chosen(self, client, environment, told):
        form = {"user_ids": "mallory", "until": "24h", "reason": "spam"}
        if told:
            form["tell_reason"] = "on"
        client.post(url(environment, "bans/impose/"), form, headers=HTMX)
        assert in_force().told_reason == ("spam" if told else "")
        change = url(environment, f"bans/{in_force().pk}/change/")
        form = client.get(change, headers=HTMX).context["form"]
        assert form["tell_reason"].value() == told
        several = url(environment, "bans/change/")
        client.post(several, {"user_ids": "mallory", "until": "7d"}, headers=HTMX)
        assert in_force().told_reason == ("spam" if told else "")
        another = {"user_ids": "mallory", "until": "7d", "reason": "for us alone"}
        client.post(several, another, headers=HTMX)
        assert in_force().told_reason == ""

    def test_without_htmx_goes_back_to_the_bans_and_offers_to_undo(self, client, environment):
        form = {"user_ids": "mallory", "until": "24h"}
        response = client.post(url(environment, "bans/impose/"), form, follow=True)
        assert response.redirect_chain == [(url(environment, "bans/"), 302)]
        assert url(environment, "bans/lift/", user="mallory") in response.content.decode()

    @pytest.mark.parametrize(
        ("user", "back"),
        [("mallory", "user/mallory/"), ("", "bans/"), ("no/id", "bans/")],
    )
    def test_without_htmx_goes_back_to_the_users_page_that_opened_it(
        self, client, environment, user, back
    ):
        dialog = url(environment, "bans/impose/", user=user, back="user")
        form = {"user_ids": "mallory", "until": "24h"}
        assert client.post(dialog, form)["Location"] == url(environment, back)
        assert f'href="{url(environment, back)}"' in client.get(dialog).content.decode()

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"user_ids": ""}, "user_ids"),
            ({"user_ids": "mallory, no/id"}, "user_ids"),
            ({"user_ids": "x" * 65}, "user_ids"),
            ({"user_ids": " ".join(f"u{number}" for number in range(101))}, "user_ids"),
            ({"until": "custom", "custom": "soon"}, "custom"),
            ({"until": "custom", "custom": ""}, "custom"),
            ({"until": "custom", "custom": "2020-01-01"}, "custom"),
            ({"until": "eternity"}, "until"),
            ({"reason": "x" * 201}, "reason"),
        ],
    )
    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_shows_the_error_beside_the_field_and_keeps_the_input(
        self, client, environment, wrong, field, headers
    ):
        form = {"user_ids": "mallory", "until": "24h", "reason": "spam", **wrong}
        response = client.post(url(environment, "bans/impose/"), form, headers=headers)
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]
        assert response.context["form"]["reason"].value() == form["reason"]
        assert not Ban.objects.exists()

    def test_posted_twice_leaves_one_ban_in_force(self, client, environment, at_noon):
        form = {"user_ids": "mallory", "until": "24h"}
        for moment in (NOON, NOON + HOUR):
            at_noon.move_to(moment)
            response = client.post(url(environment, "bans/impose/"), form, headers=HTMX)
        assert in_force().expires_at == NOON + HOUR + DAY
        assert events(response)["toast"]["undo"] == "", "a lift would not bring back the first"


class TestInProduction:
    """Permanent bans and bans of several users need a reason and the environment's name."""

    @pytest.fixture
    def environment(self, client):
        environment = make_environment(kind="production")
        sign_in(client, environment, Role.MODERATOR)
        for user_id in ("ada", "bob"):
            make_user(environment=environment, user_id=user_id)
        make_connection(environment=environment, user_id="bob")
        return environment

    def impose(self, client, environment, **form):
        form = {"user_ids": "ada", "until": "24h", **form}
        return client.post(url(environment, "bans/impose/"), form, headers=HTMX)

    def test_a_ban_of_one_user_with_an_end_needs_no_confirmation(self, client, environment):
        assert self.impose(client, environment).status_code == 204
        assert in_force("ada").reason == ""

    @pytest.mark.parametrize("much", [{"until": "permanent"}, {"user_ids": "ada bob eve"}])
    def test_a_larger_ban_needs_a_reason_and_the_environments_name(self, client, environment, much):
        name = environment.full_name
        for given, wrong in (
            ({}, ["reason", "confirm"]),
            ({"reason": " ", "confirm": name}, ["reason"]),
            ({"reason": "spam", "confirm": "production"}, ["confirm"]),
        ):
            refused = self.impose(client, environment, **much, **given)
            assert refused.status_code == 422
            assert list(refused.context["form"].errors) == wrong
        assert not Ban.objects.exists()
        full = self.impose(client, environment, **much, reason="spam", confirm=name)
        assert full.status_code == 204
        assert in_force("ada").reason == "spam"

    def test_the_dialog_shows_how_many_users_are_affected(self, client, environment):
        asked = {"user_ids": "ada bob eve", "until": "permanent"}
        shown = client.get(url(environment, "bans/preview/", **asked), headers=HTMX).text
        words = " ".join(re.sub("<[^>]*>", " ", shown).split())
        assert "3 users : 2 are registered, 1 is connected now and will be disconnected" in words
        assert "needs a reason and the environment's name" in html.unescape(words)
        calm = client.get(url(environment, "bans/preview/", user_ids="ada", until="1h")).text
        assert "stakes-high" not in calm

    def test_making_a_ban_permanent_needs_the_same(self, client, environment):
        ban = make_ban(environment=environment, user_id="ada", expires_at=NOON + DAY)
        address = url(environment, f"bans/{ban.pk}/change/")
        assert client.post(address, {"until": "permanent"}).status_code == 422
        form = {"until": "permanent", "reason": "spam", "confirm": environment.full_name}
        assert client.post(address, form, headers=HTMX).status_code == 204
        assert in_force("ada").expires_at is None

    def test_changing_several_bans_needs_a_reason_for_each(self, client, environment):
        make_ban(environment=environment, user_id="ada", reason="spam")
        make_ban(environment=environment, user_id="bob", reason="")
        address = url(environment, "bans/change/")
        form = {"user_ids": "ada bob", "until": "7d", "confirm": environment.full_name}
        refused = client.post(address, form)
        assert refused.status_code == 422
        assert "Some of these bans have none" in str(refused.context["form"].errors["reason"])
        assert client.post(address, form | {"reason": "worse"}, headers=HTMX).status_code == 204
        assert in_force("bob").reason == "worse"


@pytest.mark.usefixtures("moderator")
class TestPreview:
    def preview(self, client, environment, **form):
        response = client.get(url(environment, "bans/preview/", **form), headers=HTMX)
        assert response.status_code == 200
        return response.context["preview"]

    def test_shows_the_exact_end_and_what_it_changes_for_each_user(self, client, environment):
        make_user(environment=environment, user_id="mia")
        make_ban(environment=environment, user_id="mia", expires_at=NOON + HOUR)
        preview = self.preview(client, environment, until="24h", user_ids="mia stranger")
        assert preview["expires_at"] == NOON + DAY
        [mia, stranger] = preview["notes"]
        assert (mia["user"].user_id, mia["later"]) == ("mia", DAY - HOUR)
        assert (stranger["user"].state, stranger["ban"]) == ("not_registered", None)

    def test_shows_errors_and_accepts_any_input(self, client, environment):
        assert self.preview(client, environment, until="custom", custom="soon")["mistake"]
        assert self.preview(client, environment, until="custom", custom="")["mistake"] == ""
        assert self.preview(client, environment, until="1h", user_ids="\0 /")["notes"] == []
        self.preview(client, environment, until="custom", custom="\0", zone="\0")


@pytest.mark.usefixtures("moderator")
class TestChange:
    def test_starts_with_the_values_of_the_ban(self, client, environment):
        ban = make_ban(environment=environment, expires_at=NOON + DAY)
        address = url(environment, f"bans/{ban.pk}/change/")
        form = client.get(address, headers=HTMX).context["form"]
        unchanged = {name: form[name].value() for name in ("until", "custom", "reason")}
        assert client.post(address, unchanged, headers=HTMX).status_code == 204
        changed = in_force()
        assert (changed.expires_at, changed.reason) == (ban.expires_at, ban.reason)
        assert changed.pk != ban.pk, "the ledger is never rewritten"
        again = url(environment, f"bans/{changed.pk}/change/", back="user")
        back = url(environment, "user/mallory/")
        assert client.post(again, unchanged)["Location"] == back

    @pytest.mark.parametrize("what", ["lifted by grace", "changed by grace", "ended"])
    def test_of_a_ban_that_has_ended_says_how_it_ended(self, client, environment, what):
        ban = make_ban(environment=environment)
        if what == "lifted by grace":
            bans.lift(environment=environment, user_ids=["mallory"], by=staff_actor(), now=NOON)
        elif what == "changed by grace":
            bans.impose(
                environment=environment,
                user_ids=["mallory"],
                expires_at=None,
                reason="more",
                by=staff_actor(),
                now=NOON,
            )
        else:
            Ban.objects.filter(pk=ban.pk).update(expires_at=NOON)
        before = list(Ban.objects.values())
        address = url(environment, f"bans/{ban.pk}/change/")
        response = client.post(address, {"until": "1h"}, headers=HTMX)
        assert response.status_code == 422
        assert "Nothing was changed" in response.content.decode()
        assert what.split()[0] in response.content.decode()
        assert list(Ban.objects.values()) == before
        assert client.get(address).status_code == 200

    def test_of_another_environments_ban_is_404(self, client, environment):
        elsewhere = make_ban(environment=make_environment())
        assert client.get(url(environment, f"bans/{elsewhere.pk}/change/")).status_code == 404
        assert client.get(url(environment, f"bans/{10**30}/change/")).status_code == 404

    def test_of_several_changes_all_or_names_those_not_banned(self, client, environment):
        for user_id in ("ada", "bob"):
            make_ban(environment=environment, user_id=user_id, reason=user_id)
        address = url(environment, "bans/change/")
        response = client.post(address, {"user_ids": "ada bob", "until": "1h"}, headers=HTMX)
        assert response.status_code == 204
        assert [(in_force(name).expires_at, in_force(name).reason) for name in ("ada", "bob")] == [
            (NOON + HOUR, "ada"),
            (NOON + HOUR, "bob"),
        ]
        response = client.post(address, {"user_ids": "ada eve", "until": "7d"}, headers=HTMX)
        assert response.status_code == 422
        assert "eve" in str(response.context["form"].errors["user_ids"])
        assert in_force("ada").expires_at == NOON + HOUR


@pytest.mark.usefixtures("moderator")
class TestLift:
    def test_lifts_several_and_undo_brings_them_back(self, client, environment):
        for user_id in ("ada", "bob"):
            make_ban(environment=environment, user_id=user_id, expires_at=NOON + DAY)
        address = url(environment, "bans/lift/")
        response = client.post(address, {"user": ["ada", "bob"]}, headers=HTMX)
        assert not Ban.objects.in_force(NOON).exists()
        undo = events(response)["toast"]["undo"]
        assert client.post(undo, headers=HTMX).status_code == 204
        assert in_force("ada").expires_at == NOON + DAY
        stale = client.post(undo, headers=HTMX)
        assert (stale.status_code, stale["Content-Type"][:10]) == (409, "text/plain")

    def test_twice_is_not_an_error_and_offers_no_undo(self, client, environment):
        make_ban(environment=environment)
        for expected in ("Lifted the ban of mallory", "Nothing to lift"):
            response = client.post(
                url(environment, "bans/lift/"), {"user": "mallory"}, headers=HTMX
            )
            assert events(response)["toast"]["message"].startswith(expected)
        assert events(response)["toast"]["undo"] == ""

    def test_without_htmx_goes_back_to_the_page_of_the_button(self, client, environment):
        make_ban(environment=environment)
        came_from = "http://testserver" + url(environment, "bans/", q="mal")
        for referer, back in ((came_from, came_from), ("http://evil.test/", None)):
            response = client.post(
                url(environment, "bans/lift/"), {"user": "mallory"}, headers={"Referer": referer}
            )
            assert response.status_code == 302
            assert response["Location"] == (back or url(environment, "bans/"))

    @pytest.mark.parametrize("form", [{}, {"user": "no/id"}])
    def test_without_valid_ids_is_refused(self, client, environment, form):
        response = client.post(url(environment, "bans/lift/"), form, headers=HTMX)
        assert response.status_code == 409
        assert response.content


def test_a_viewer_sees_why_the_buttons_are_disabled_and_cannot_post(client, environment):
    make_ban(environment=environment)
    viewer = make_member(application=environment.application, role=Role.VIEWER)
    client.force_login(viewer.account)
    page = client.get(url(environment, "bans/")).content.decode()
    assert "Needs role" in page
    assert 'type="checkbox"' not in page
    for address in ("bans/impose/", "bans/lift/", "bans/change/", "bans/preview/"):
        method = client.get if address == "bans/preview/" else client.post
        assert method(url(environment, address), {"user": "mallory"}).status_code == 403
    assert in_force()


@pytest.mark.usefixtures("moderator")
class TestExport:
    def test_writes_the_tab_with_the_connections_that_each_ban_closed(
        self, client, environment, django_assert_num_queries
    ):
        for user_id in ("mia", "ben"):
            make_connection(environment=environment, user_id=user_id)
            bans.impose(
                environment=environment,
                user_ids=[user_id],
                expires_at=None,
                reason="=1+1",
                by=staff_actor(),
                now=NOON,
            )
        presence.disconnect(
            connection_ids=list(
                Connection.objects.filter(user_id="mia").values_list("pk", flat=True)
            ),
            now=NOON,
        )
        bans.lift(environment=environment, user_ids=["ben"], by=staff_actor(), now=NOON + HOUR)
        # Session, account, environment, membership, count, bans, reports.
        with django_assert_num_queries(7):
            path = "transfers/export/bans/file"
            response = client.get(url(environment, path, tab="in_force", format="csv"))
            text = response.getvalue().decode()
        [row] = csv.DictReader(io.StringIO(text))
        assert (row["user_id"], row["expires_at"], row["connections_closed"]) == (
            "mia",
            "permanent",
            "1",
        )
        assert row["reason"] == "'=1+1"
