"""Law 30 for every page: which role may open it, in which environment.

The tables below are the law. They are compared with the URLs that exist, so a page without a row
fails here before anybody can open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from applications import request_log
from applications.models import AuditEvent, Role
from tests.console.pages import address
from tests.factories import (
    HOUR,
    NOON,
    make_account,
    make_application,
    make_ban,
    make_connection,
    make_deactivated,
    make_delivery,
    make_environment,
    make_logged_call,
    make_member,
    make_user,
    make_webhook,
    staff_actor,
)
from users import deletion, lease_rules
from users.models import DeletedUser

VIEW, USERS, MODERATE = "view", "manage_users", "moderate"
APPLICATION, MEMBERS, LOCKS = "manage_application", "manage_members", "lift_locks"

# The permissions of each role.
DEVELOPMENT = {
    "viewer": {VIEW},
    "tester": {VIEW, USERS, MODERATE},
    "moderator": {VIEW, MODERATE},
    "admin": {VIEW, MODERATE, USERS, APPLICATION},
    "owner": {VIEW, MODERATE, USERS, APPLICATION, MEMBERS, LOCKS},
}
PRODUCTION = {**DEVELOPMENT, "tester": {VIEW}}
PERMISSIONS = {"development": DEVELOPMENT, "production": PRODUCTION}


@dataclass(frozen=True)
class Page:
    """What a page requires. `args` are the names of its URL's arguments after the environment's."""

    needs: str
    methods: str
    args: tuple[str, ...] = ()


READ, FORM, POST = "GET", "GET POST", "POST"
USER, SECRET, MEMBER = ("user_id",), ("secret_id",), ("member_id",)
JOB, BAN, TOMBSTONE = ("job_id",), ("ban_id",), ("tombstone",)
WEBHOOK = ("webhook_id",)

ENVIRONMENT_PAGES = {
    # console
    "environment:index": Page(VIEW, READ),
    "users:index": Page(VIEW, READ),
    "users:detail": Page(VIEW, READ, USER),
    "connections:index": Page(VIEW, READ),
    "connections:kick": Page(MODERATE, POST, ("connection_id",)),
    "try_it:index": Page(VIEW, READ),
    "try_it:client": Page(VIEW, READ),
    "try_it:token": Page(USERS, POST),
    "keys:index": Page(VIEW, READ),
    "keys:add": Page(APPLICATION, FORM),
    "keys:roll_back": Page(APPLICATION, FORM),
    "keys:revoke": Page(APPLICATION, FORM, SECRET),
    "keys:rates": Page(APPLICATION, FORM),
    "keys:revoke_tokens": Page(APPLICATION, FORM),
    "webhooks:index": Page(VIEW, READ),
    "webhooks:add": Page(APPLICATION, FORM),
    "webhooks:detail": Page(VIEW, READ, WEBHOOK),
    "webhooks:change": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:remove": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:enable": Page(APPLICATION, POST, WEBHOOK),
    "webhooks:disable": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:rotate": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:retire_secret": Page(APPLICATION, FORM, WEBHOOK),
    "webhooks:test": Page(APPLICATION, POST, WEBHOOK),
    "webhooks:replay": Page(APPLICATION, POST, (*WEBHOOK, "delivery_id")),
    "members:index": Page(VIEW, READ),
    "members:add": Page(MEMBERS, FORM),
    "members:change": Page(MEMBERS, FORM, MEMBER),
    "members:remove": Page(MEMBERS, FORM, MEMBER),
    "members:invite": Page(MEMBERS, FORM, MEMBER),
    "audit:index": Page(VIEW, READ),
    "requests:index": Page(VIEW, READ),
    "requests:detail": Page(VIEW, READ, ("request_id",)),
    "audit:export": Page(VIEW, READ),
    "audit:line": Page(VIEW, READ, ("line_id",)),
    "audit:seals": Page(VIEW, READ),
    "settings:index": Page(VIEW, READ),
    "settings:change": Page(APPLICATION, FORM),
    "settings:plan": Page(APPLICATION, FORM),
    "settings:doors": Page(APPLICATION, FORM),
    "settings:unlock_deletion": Page(LOCKS, FORM),
    "settings:lock_deletion": Page(LOCKS, POST),
    "settings:rename": Page(APPLICATION, FORM),
    # users
    "users:kick_several": Page(MODERATE, POST),
    "users:export": Page(VIEW, READ),
    "users:register": Page(USERS, FORM),
    "users:load_samples": Page(USERS, POST),
    "users:edit": Page(USERS, FORM, USER),
    "users:delete": Page(USERS, FORM, USER),
    "users:sign_out": Page(USERS, FORM, USER),
    "users:expire_tokens": Page(USERS, FORM, USER),
    "users:kick": Page(MODERATE, POST, USER),
    "users:lease": Page(USERS, FORM, USER),
    "users:pin": Page(USERS, POST, USER),
    "users:unpin": Page(USERS, POST, USER),
    "users:friends": Page(VIEW, READ, USER),
    "users:remove_friend": Page(USERS, FORM, ("user_id", "friend_id")),
    "users:add_friend": Page(USERS, POST, USER),
    "users:answer_friend": Page(USERS, POST, ("user_id", "sender_id")),
    "users:personal_data": Page(VIEW, READ, USER),
    "quota:index": Page(VIEW, READ),
    "quota:add_rule": Page(USERS, FORM),
    "quota:remove_rule": Page(USERS, POST, ("rule_id",)),
    "quota:undo": Page(USERS, POST, ("deleted_id",)),
    "quota:undo_job": Page(USERS, POST, JOB),
    "quota:preview": Page(USERS, POST),
    "quota:job": Page(VIEW, READ, JOB),
    "quota:confirm": Page(USERS, POST, JOB),
    "quota:cancel": Page(USERS, POST, JOB),
    "deactivated:index": Page(VIEW, READ),
    "deactivated:reactivation_call": Page(VIEW, READ, TOMBSTONE),
    # moderation
    "bans:index": Page(VIEW, READ),
    "bans:export": Page(VIEW, READ),
    "bans:impose": Page(MODERATE, FORM),
    "bans:change_several": Page(MODERATE, FORM),
    "bans:change": Page(MODERATE, FORM, BAN),
    "bans:preview": Page(MODERATE, READ),
    "bans:lift": Page(MODERATE, POST),
    "bans:undo_lift": Page(MODERATE, POST),
    "lists:index": Page(VIEW, READ),
    "lists:add": Page(MODERATE, FORM),
    "lists:remove": Page(MODERATE, POST),
    "lists:switch": Page(MODERATE, POST),
    "mutes:index": Page(VIEW, READ),
    "mutes:impose": Page(MODERATE, FORM),
    "mutes:lift": Page(MODERATE, POST),
    "mutes:undo_lift": Page(MODERATE, POST),
    "search:index": Page(VIEW, FORM),
    "why:index": Page(VIEW, FORM),
    "why:json": Page(VIEW, FORM),
    "users:moderation": Page(VIEW, READ, USER),
}
# Pages outside applications: the response to an anonymous GET, and to an account's.
OTHER_PAGES = {
    "root": ("accounts:sign_in", 302),
    "overview:index": ("accounts:sign_in", 200),
    "overview:create": ("accounts:sign_in", 200),
    "accounts:password_change": ("accounts:sign_in", 200),
    "api_docs:index": ("accounts:sign_in", 200),
    "search_everywhere": ("accounts:sign_in", 200),
    "shortcuts": ("accounts:sign_in", 200),
    "api_docs:document": ("accounts:sign_in", 200),
    "accounts:sign_out": ("accounts:sign_in", 405),
    "accounts:sign_in": (200, 302),
    "accounts:set_password": (200, 200),
    "favicon": (302, 302),
}
OTHER_PAGE_ARGS = {
    "accounts:set_password": ["MQ", "x-y"],
    "api_docs:index": ["agora"],
    "api_docs:document": ["agora"],
}
# The only pages that need no sign-in. Django admin has a sign-in of its own.
OPEN = {"accounts:sign_in", "accounts:set_password", "favicon"}


def pages(
    resolver: Any = None, prefix: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """(name, URL pattern, page) of all routes except Django admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from pages(pattern, route, pattern.namespace or namespace)
        else:
            yield f"{namespace}:{pattern.name}".lstrip(":"), route, pattern


ROUTED = {name: (route, pattern) for name, route, pattern in pages()}


class TestEveryPage:
    def test_has_a_name_of_its_own(self):
        assert len(ROUTED) == len(list(pages()))

    def test_has_a_row_here(self):
        assert set(ROUTED) == {*ENVIRONMENT_PAGES, *OTHER_PAGES}

    def test_of_an_environment_states_the_permission_of_its_row(self):
        stated = {name: ROUTED[name][1].callback.permission.value for name in ENVIRONMENT_PAGES}
        assert stated == {name: page.needs for name, page in ENVIRONMENT_PAGES.items()}

    def test_under_an_environments_url_is_in_that_table(self):
        below = {name for name, (route, _) in ROUTED.items() if "<kind:kind>" in route}
        assert below == set(ENVIRONMENT_PAGES)

    def test_requires_signing_in_unless_listed(self):
        opened = {
            name
            for name, (_, pattern) in ROUTED.items()
            if not getattr(pattern.callback, "login_required", True)
        }
        assert opened == OPEN


@dataclass
class World:
    """One of every record that a URL can name, in one environment."""

    environment: Any
    ids: dict[str, Any]

    def url(self, name: str) -> str:
        return address(
            name, self.environment, *(self.ids[arg] for arg in ENVIRONMENT_PAGES[name].args)
        )


@pytest.fixture
def application(db):
    application = make_application()
    make_member(application=application, role=Role.OWNER)  # so another owner is removable
    return application


def logged(environment: Any) -> str:
    """The id of a call in the request log."""
    request_log.note(request_log.Answered(environment.pk, make_logged_call(request_id="r-1")))
    request_log.write()
    return "r-1"


def world(application: Any, kind: str) -> World:
    environment = make_environment(application=application, kind=kind)
    user = make_user(environment=environment, user_id="mia")
    webhook = make_webhook(environment=environment)
    job_id = rule_id = deleted_id = 0
    if environment.is_development:
        rule_id = lease_rules.add(
            environment=environment, prefix="ci-", lasts=HOUR, by=staff_actor(), now=NOON
        ).pk
        make_user(environment=environment, user_id="deleted")
        deletion.delete(
            environment=environment, user_ids=["deleted"], by=staff_actor(), now=timezone.now()
        )
        deleted_id = DeletedUser.objects.get(environment=environment).pk
        job = deletion.preview(
            environment=environment, candidates=[(user, "test")], by=staff_actor(), now=NOON
        )
        job_id = job.pk
    return World(
        environment,
        {
            "user_id": user.user_id,
            "friend_id": "ben",
            "sender_id": "ben",
            "secret_id": environment.secrets.get().pk,
            "webhook_id": webhook.pk,
            "delivery_id": make_delivery(webhook=webhook).pk,
            "member_id": make_member(application=application, role=Role.VIEWER).pk,
            "job_id": job_id,
            "rule_id": rule_id,
            "deleted_id": deleted_id,
            "ban_id": make_ban(environment=environment, user_id="mallory", expires_at=None).pk,
            "request_id": logged(environment),
            "line_id": AuditEvent.objects.filter(environment=environment).latest("pk").pk,
            "connection_id": make_connection(environment=environment, user_id="mia").pk,
            "tombstone": make_deactivated(environment=environment, user_id="gone").user_id,
        },
    )


def ask(client: Any, method: str, url: str) -> Any:
    """The response. Its changes are rolled back."""
    with transaction.atomic():
        response = getattr(client, method.lower())(url)
        transaction.set_rollback(True)
    return response


def every_request(here: World) -> Iterator[tuple[str, str, str, Page]]:
    for name, page in ENVIRONMENT_PAGES.items():
        for method in ("GET", "POST"):
            yield name, method, here.url(name), page


@pytest.mark.parametrize("kind", ["development", "production"])
class TestWhoMayOpenWhat:
    @pytest.mark.parametrize("role", Role.values)
    def test_a_member_opens_the_pages_that_the_role_allows(self, client, application, kind, role):
        here = world(application, kind)
        client.force_login(make_member(application=application, role=role).account)
        wrong = {}
        for name, method, url, page in every_request(here):
            status = ask(client, method, url).status_code
            if method not in page.methods.split():
                fits = status == 405
            elif page.needs not in PERMISSIONS[kind][role]:
                fits = status == 403
            else:
                # 409: a rule forbids it for every role, such as deleting in production. 404:
                # production has no deletion jobs.
                fits = status in {200, 201, 204, 302, 409, 422} or (
                    status == 404 and kind == "production" and page.args == JOB
                )
            if not fits:
                wrong[name, method] = status
        assert wrong == {}

    def test_a_stranger_finds_nothing(self, client, application, kind):
        here = world(application, kind)
        client.force_login(make_member(application=make_application(name="Other")).account)
        wrong = {}
        for name, method, url, page in every_request(here):
            status = ask(client, method, url).status_code
            if status != (404 if method in page.methods.split() else 405):
                wrong[name, method] = status
        assert wrong == {}

    def test_an_anonymous_user_is_sent_to_sign_in(self, client, application, kind):
        here = world(application, kind)
        wrong = {}
        for name, method, url, _ in every_request(here):
            response = ask(client, method, url)
            if response.status_code != 302 or not response.url.startswith(
                reverse("accounts:sign_in")
            ):
                wrong[name, method] = response.status_code
        assert wrong == {}


@pytest.mark.django_db
class TestPagesOutsideEnvironments:
    @pytest.mark.parametrize("name", OTHER_PAGES)
    def test_respond_as_their_row_says(self, client, name):
        url = reverse(name, args=OTHER_PAGE_ARGS.get(name, []))
        anonymous, account = OTHER_PAGES[name]
        response = client.get(url)
        if anonymous == "accounts:sign_in":
            assert response.url.startswith(reverse("accounts:sign_in"))
        else:
            assert response.status_code == anonymous
        client.force_login(make_account())
        assert client.get(url).status_code == account


@pytest.mark.django_db
class TestRefusal:
    def test_names_the_missing_permission_and_who_has_it(self, client, application):
        here = world(application, "production")
        client.force_login(make_member(application=application, role=Role.TESTER).account)
        refused = client.post(here.url("keys:add"))
        assert refused.status_code == 403
        assert "manage the application" in refused.text
        assert "Needs role admin or owner" in refused.text

    def test_is_one_line_of_text_for_htmx(self, client, application):
        here = world(application, "production")
        client.force_login(make_member(application=application, role=Role.TESTER).account)
        refused = client.post(here.url("keys:add"), headers={"HX-Request": "true"})
        assert refused["Content-Type"].startswith("text/plain")
        assert "Needs role admin or owner" in refused.text

    def test_is_the_same_for_missing_and_foreign_pages(self, client, application):
        client.force_login(make_account())
        missing = client.get("/console/no-such-app/development/")
        theirs = client.get(world(application, "development").url("environment:index"))
        assert (missing.status_code, missing.text) == (theirs.status_code, theirs.text)
