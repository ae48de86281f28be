"""The product's main job, as staff do it in a browser: free a full test quota so that registrations
work again, ban a user for an hour, find the call that reactivates, edit lists, undo a lift.

Three times: with the mouse, without JavaScript, and partly with the keyboard alone. Meanwhile app
servers call over HTTP. No worker runs: the tests call its tasks.
"""

import re

import pytest
import urllib3
from django.utils import timezone
from playwright.sync_api import expect

from applications.models import FREE_USER_LIMIT
from moderation import ban_sweep, bans
from moderation.models import Ban
from tests.api.callers import signed_headers
from tests.console.pages import address
from tests.factories import (
    DAY,
    make_account,
    make_environment,
    make_member,
    make_user,
    make_users,
    staff_actor,
)
from users import tasks
from users.models import AppUser, DeletionJob

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct horse battery"


@pytest.fixture
def environment():
    """Development at its limit: 12 sample users, 87 who never connected, and mia, who did."""
    environment = make_environment()
    make_users(environment=environment, count=12, prefix="sample-")
    make_users(environment=environment, count=FREE_USER_LIMIT - 13, prefix="ci-")
    make_user(environment=environment, user_id="mia", name="Mia", last_seen_at=timezone.now())
    account = make_account(username="grace", password=PASSWORD)
    make_member(application=environment.application, account=account)
    return environment


@pytest.fixture
def app_server(live_server, environment):
    """`app_server("user/ban", userIds=["mia"])` calls Nexconn's API: (HTTP status, code)."""

    def call(path, **members):
        with urllib3.PoolManager() as http:
            response = http.request(
                "POST",
                f"{live_server.url}/v4/{path}",
                json=members,
                headers=signed_headers(environment),
            )
        return response.status, response.json()["code"]

    return call


def register(app_server, user_id):
    return app_server("auth/access-token/issue", userId=user_id, name=user_id.title())


def sign_in(window):
    window.open("/")
    page = window.page
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def go_to(page, name):
    page.get_by_role("navigation", name="Environment", exact=True).get_by_role(
        "link", name=name, exact=True
    ).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def work(job):
    """Run a confirmed job, as the worker does."""
    tasks.run_deletion_job(job_id=job.pk)


def confirm_phrase(environment):
    return f"{environment.application.org_name}/development"


class TestMainJob:
    def test_with_a_mouse(self, opened, environment, app_server):
        with opened(
            permissions=["clipboard-read", "clipboard-write"],
            viewport={"width": 1280, "height": 900},
        ) as window:
            page = window.page
            sign_in(window)
            page.get_by_role("link", name=re.compile("development", re.I)).first.click()
            assert register(app_server, "late") == (403, 2007)

            self.free_places(page, environment)
            assert register(app_server, "late") == (200, 0)

            self.ban_for_an_hour(page, environment)
            self.deactivated_by_api(page, environment, app_server)
            self.keep_lists(page)
            self.lift_and_undo(page, environment)
            assert window.complaints == []

    def free_places(self, page, environment):
        go_to(page, "Quota")
        expect(page.get_by_text("100 of 100, full")).to_be_visible()
        page.get_by_label("Free up").fill("12")
        page.get_by_role("button", name="Make a plan").click()
        expect(page.get_by_role("heading", name="Plan: 12 of 12 places")).to_be_visible()
        page.get_by_role("checkbox", name="Delete sample-00012").uncheck()
        expect(page.get_by_text("11 users selected")).to_be_visible()
        page.get_by_role("button", name="Preview deletion").click()

        expect(page.get_by_role("heading", name="Delete exactly 11 users")).to_be_visible()
        expect(page.get_by_role("link", name="sample-00012")).to_have_count(0)
        delete = page.get_by_role("button", name="Delete 11 users")
        expect(delete).to_be_disabled()
        page.get_by_label("to confirm").fill(confirm_phrase(environment))
        delete.click()

        expect(page.get_by_role("heading", name="Deleting")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "0")
        work(DeletionJob.objects.get())
        # The page updates without a reload.
        expect(page.get_by_role("heading", name="11 places freed")).to_be_visible()
        page.get_by_role("link", name="Back to the quota").click()
        expect(page.get_by_text("89 of 100, 11 free")).to_be_visible()
        assert AppUser.objects.filter(user_id="sample-00012").exists()

    def ban_for_an_hour(self, page, environment):
        go_to(page, "Users")
        page.get_by_role("searchbox", name="Search users").fill("mi")
        expect(page.get_by_role("link", name="late")).to_have_count(0)
        page.get_by_role("link", name="mia").click()
        page.get_by_role("link", name="Ban", exact=True).click()
        dialog = page.get_by_role("dialog", name="Ban mia")
        expect(dialog.get_by_text("in 1 day")).to_be_visible()
        dialog.get_by_text("Custom").click()
        dialog.get_by_label("Duration or end").fill("soon")
        expect(dialog.get_by_text("in 1 day")).to_have_count(0)
        dialog.get_by_text("1 h", exact=True).click()
        expect(dialog.get_by_text("in 1 h")).to_be_visible()
        dialog.get_by_role("combobox", name="Reason").fill("Floods the lobby")
        dialog.get_by_role("button", name="Ban", exact=True).click()

        expect(page.get_by_text("Banned mia")).to_be_visible()
        who = page.get_by_role("region", name="User", exact=True)
        expect(who.get_by_text(re.compile(r"Banned, 59 min \d+ s left"))).to_be_visible()
        expect(page.get_by_text("Floods the lobby").first).to_be_visible()

        page.clock.install()
        page.reload()
        expect(who.get_by_text("Banned, 59 min")).to_be_visible()
        Ban.objects.update(expires_at=timezone.now(), ends_at=timezone.now())
        page.clock.fast_forward("01:00:00")
        # The page updates when its countdown ends.
        expect(who.get_by_role("link", name="Ban", exact=True)).to_be_visible()
        expect(who.get_by_text("Banned")).to_have_count(0)
        assert ban_sweep.expire_due(now=timezone.now()) == 1

    def deactivated_by_api(self, page, environment, app_server):
        assert app_server("user/soft-delete", userIds=["late"]) == (200, 0)
        go_to(page, "Deactivated")
        row = page.get_by_role("row").filter(has_text="late")
        row.get_by_role("link", name="Call to reactivate").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Copy").last.click()
        expect(page.get_by_text("Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "/v4/user/restore" in copied
        assert '{"userIds": ["late"]}' in copied
        assert environment.app_key in copied
        dialog.get_by_role("button", name="Close").first.click()
        row.get_by_role("button", name="Copy user id late").click()
        assert page.evaluate("navigator.clipboard.readText()") == "late"

    def keep_lists(self, page):
        go_to(page, "Lists")
        page.get_by_label("Owner of the list").fill("mia")
        page.get_by_role("button", name="Show").click()
        page.get_by_label("Add to this list").fill("ci-00001, ci-00002")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("row").filter(has_text="ci-00001")).to_be_visible()

        self.ask_who_may_write(page, "ci-00001", "No")
        first = page.get_by_role("row").filter(has_text="ci-00001")
        first.get_by_role("button", name="Remove").click()
        expect(first).to_have_count(0)
        self.ask_who_may_write(page, "ci-00001", "Yes")
        self.ask_who_may_write(page, "ci-00002", "No")

    def ask_who_may_write(self, page, sender, answer):
        page.get_by_label("May", exact=True).fill(sender)
        page.get_by_label("write to", exact=True).fill("mia")
        page.get_by_role("button", name="Check", exact=True).click()
        question = f"May {sender} write to mia? {answer}."
        expect(page.get_by_role("heading", name=question)).to_be_visible()
        page.go_back()

    def lift_and_undo(self, page, environment):
        bans.impose(
            environment=environment,
            user_ids=["ci-00001", "ci-00002", "ci-00003"],
            expires_at=timezone.now() + DAY,
            reason="",
            by=staff_actor(),
            now=timezone.now(),
        )
        go_to(page, "Bans")
        page.get_by_role("checkbox", name="Select ci-00003").check()
        row = page.get_by_role("row").filter(has_text="ci-00002")
        row.get_by_role("button", name="Lift").click()
        expect(row).to_have_count(0)
        # Selected rows stay selected after a refresh.
        expect(page.get_by_role("checkbox", name="Select ci-00003")).to_be_checked()
        expect(page.get_by_text("1 ban selected")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(row).to_be_visible()
        assert Ban.objects.in_force(timezone.now()).count() == 3

    def test_by_keyboard_alone(self, opened, environment):
        with opened(viewport={"width": 1280, "height": 900}) as window:
            page = window.page
            press = page.keyboard.press
            window.open("/")
            expect(page.get_by_label("Username")).to_be_focused()
            page.keyboard.type("grace")
            press("Tab")
            page.keyboard.type(PASSWORD)
            press("Enter")
            expect(page.get_by_role("heading", name="Overview")).to_be_visible()

            window.open(address("users:detail", environment, "mia"))
            press("Tab")
            expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
            press("Enter")
            self.tab_to(page, page.get_by_role("link", name="Ban", exact=True))
            press("Enter")
            dialog = page.get_by_role("dialog", name="Ban mia")
            expect(dialog.get_by_label("User ids")).to_be_focused()
            press("Escape")
            expect(dialog).to_have_count(0)
            expect(page.get_by_role("link", name="Ban", exact=True)).to_be_focused()

            press("Enter")
            # The dialog moves the focus to its first field; a key pressed before that is lost.
            expect(dialog.get_by_label("User ids")).to_be_focused()
            self.tab_to(page, dialog.get_by_role("radio", name="24 h"))
            expect(dialog.get_by_text("in 1 day")).to_be_visible()
            press("ArrowLeft")
            expect(dialog.get_by_text("in 1 h")).to_be_visible()
            self.tab_to(page, dialog.get_by_role("combobox", name="Reason"))
            page.keyboard.type("Floods the lobby")
            press("Enter")
            expect(page.get_by_text(re.compile("Banned, 59 min"))).to_be_visible()
            # In the place of "Ban".
            expect(page.get_by_role("link", name="Change ban")).to_be_focused()
            press("Tab")
            press("Enter")
            expect(page.get_by_text("Lifted the ban of mia")).to_be_visible()
            expect(page.get_by_role("link", name="Ban", exact=True)).to_be_visible()
            assert not Ban.objects.open().exists()

            window.open(address("quota:index", environment) + "?free=2")
            self.tab_to(page, page.get_by_role("checkbox", name="Delete sample-00002"))
            press("Space")
            self.tab_to(page, page.get_by_role("button", name="Preview deletion"))
            press("Enter")
            expect(page.get_by_role("heading", name="Delete exactly 1 user")).to_be_visible()
            self.tab_to(page, page.get_by_label("to confirm"))
            page.keyboard.type(confirm_phrase(environment))
            press("Enter")
            expect(page.get_by_role("heading", name="Deleting")).to_be_visible()
            work(DeletionJob.objects.get())
            expect(page.get_by_role("heading", name="1 place freed")).to_be_visible()
            assert window.complaints == []

    def tab_to(self, page, goal):
        """Press Tab until `goal` has the focus, at most 60 times."""
        for _ in range(60):
            if goal.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"Tab does not lead to {goal}")

    def test_without_javascript(self, opened, environment, app_server):
        with opened(java_script_enabled=False, viewport={"width": 1280, "height": 900}) as window:
            page = window.page
            sign_in(window)
            window.open(address("quota:index", environment))
            page.get_by_label("Free up").fill("3")
            page.get_by_role("button", name="Make a plan").click()
            page.get_by_role("checkbox", name="Delete sample-00003").uncheck()
            page.get_by_role("button", name="Preview deletion").click()
            page.get_by_label("to confirm").fill("yes, all of them")
            page.get_by_role("button", name="Delete 2 users").click()
            expect(
                page.get_by_text(f"Type {confirm_phrase(environment)} to delete")
            ).to_be_visible()
            page.get_by_label("to confirm").fill(confirm_phrase(environment))
            page.get_by_role("button", name="Delete 2 users").click()
            work(DeletionJob.objects.get())
            page.get_by_role("link", name="Show the current progress").click()
            expect(page.get_by_role("heading", name="2 places freed")).to_be_visible()
            assert register(app_server, "late") == (200, 0)

            window.open(address("users:detail", environment, "mia"))
            page.get_by_role("link", name="Ban", exact=True).click()
            page.get_by_label("1 h", exact=True).check(force=True)
            page.get_by_role("combobox", name="Reason").fill("Floods the lobby")
            page.get_by_role("button", name="Ban", exact=True).click()
            expect(page.get_by_role("heading", name="mia")).to_be_visible()
            expect(page.get_by_text("Banned mia")).to_be_visible()
            page.get_by_role("button", name="Lift ban").click()
            page.get_by_role("button", name="Undo").click()
            expect(
                page.get_by_text("Banned mia again, until the same end as before")
            ).to_be_visible()

            assert app_server("user/soft-delete", userIds=["late"]) == (200, 0)
            window.open(address("deactivated:index", environment))
            page.get_by_role("link", name="Call to reactivate").click()
            expect(page.get_by_text("/v4/user/restore")).to_be_visible()

            window.open(address("lists:index", environment))
            page.get_by_label("Owner of the list").fill("mia")
            page.get_by_role("button", name="Show").click()
            page.get_by_label("Add to this list").fill("ci-00001")
            page.get_by_role("button", name="Add", exact=True).click()
            self.ask_who_may_write(page, "ci-00001", "no")


class TestRevoke:
    def test_a_secret_after_its_last_characters_are_typed(self, opened):
        environment = make_environment(kind="production")
        with opened(environment) as window:
            page = window.page
            window.open(address("keys:index", environment))
            page.get_by_role("link", name="Add a secret").click()
            page.get_by_role("button", name="Add the secret").click()
            expect(page.get_by_role("dialog")).to_be_hidden()
            old = environment.secrets.order_by("pk").first()
            page.get_by_role("link", name="Revoke", exact=True).first.click()
            dialog = page.get_by_role("dialog")
            button = dialog.get_by_role("button", name="Revoke the secret")
            expect(button).to_be_disabled()
            dialog.get_by_label("to confirm").fill(old.hint)
            button.click()
            expect(page.get_by_text(f"The secret …{old.hint} is revoked.")).to_be_visible()
            assert window.complaints == []
