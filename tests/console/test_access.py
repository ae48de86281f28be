"""Law 30, at the door of every page: who may open what, in which environment.

The tables below are the law. They are compared with the addresses that exist, so a page without a
row fails here before anybody can open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from applications.models import Role
from tests.console.pages import address
from tests.factories import (
    NOON,
    make_account,
    make_application,
    make_ban,
    make_connection,
    make_deactivated,
    make_delivery,
    make_environment,
    make_member,
    make_user,
    make_webhook,
    staff_actor,
)
from users import deletion

VIEW, USERS, MODERATE = "view", "manage_users", "moderate"
APPLICATION, MEMBERS, LOCKS = "manage_application", "manage_members", "lift_locks"

# What each role holds.
DEVELOPMENT = {
    "viewer": {VIEW},
    "tester": {VIEW, USERS, MODERATE},
    "moderator": {VIEW, MODERATE},
    "admin": {VIEW, MODERATE, USERS, APPLICATION},
    "owner": {VIEW, MODERATE, USERS, APPLICATION, MEMBERS, LOCKS},
}
PRODUCTION = {**DEVELOPMENT, "tester": {VIEW}}
HELD = {"development": DEVELOPMENT, "production": PRODUCTION}


@dataclass(frozen=True)
class Page:
    """What a page asks for. `args` are the names in its address after the environment's."""

    needs: str
    methods: str
    args: tuple[str, ...] = ()


READ, FORM, POST = "GET", "GET POST", "POST"
USER, SECRET, MEMBER = ("user_id",), ("secret_id",), ("member_id",)
JOB, BAN, TOMBSTONE = ("job_id",), ("ban_id",), ("tombstone",)
WEBHOOK = ("webhook_id",)

OF_ENVIRONMENT = {
    # console
    "environment": Page(VIEW, READ),
    "user_list": Page(VIEW, READ),
    "user_detail": Page(VIEW, READ, USER),
    "connection_list": Page(VIEW, READ),
    "connection_kick": Page(MODERATE, POST, ("connection_id",)),
    "try_it": Page(VIEW, READ),
    "try_it_token": Page(USERS, POST),
    "keys": Page(VIEW, READ),
    "secret_add": Page(APPLICATION, FORM),
    "secret_revoke": Page(APPLICATION, FORM, SECRET),
    "rate_limits_change": Page(APPLICATION, FORM),
    "tokens_revoke_all": Page(APPLICATION, FORM),
    "webhook_list": Page(VIEW, READ),
    "webhook_add": Page(APPLICATION, FORM),
    "webhook_detail": Page(VIEW, READ, WEBHOOK),
    "webhook_change": Page(APPLICATION, FORM, WEBHOOK),
    "webhook_remove": Page(APPLICATION, FORM, WEBHOOK),
    "webhook_enable": Page(APPLICATION, POST, WEBHOOK),
    "webhook_disable": Page(APPLICATION, FORM, WEBHOOK),
    "webhook_rotate": Page(APPLICATION, FORM, WEBHOOK),
    "webhook_retire_secret": Page(APPLICATION, FORM, WEBHOOK),
    "webhook_test": Page(APPLICATION, POST, WEBHOOK),
    "delivery_replay": Page(APPLICATION, POST, (*WEBHOOK, "delivery_id")),
    "member_list": Page(VIEW, READ),
    "member_add": Page(MEMBERS, FORM),
    "member_change": Page(MEMBERS, FORM, MEMBER),
    "member_remove": Page(MEMBERS, FORM, MEMBER),
    "member_invite": Page(MEMBERS, FORM, MEMBER),
    "audit_log": Page(VIEW, READ),
    "audit_export": Page(VIEW, READ),
    "settings": Page(VIEW, READ),
    "settings_change": Page(APPLICATION, FORM),
    "doors_change": Page(APPLICATION, FORM),
    "deletion_unlock": Page(LOCKS, FORM),
    "deletion_lock": Page(LOCKS, POST),
    "application_rename": Page(APPLICATION, FORM),
    # users
    "user_register": Page(USERS, FORM),
    "samples_load": Page(USERS, POST),
    "user_edit": Page(USERS, FORM, USER),
    "user_delete": Page(USERS, FORM, USER),
    "user_sign_out": Page(USERS, FORM, USER),
    "user_expire_tokens": Page(USERS, FORM, USER),
    "user_kick": Page(MODERATE, POST, USER),
    "user_friends": Page(VIEW, READ, USER),
    "friend_remove": Page(USERS, FORM, ("user_id", "friend_id")),
    "friend_answer": Page(USERS, POST, ("user_id", "sender_id")),
    "user_belongings": Page(VIEW, READ, USER),
    "quota": Page(VIEW, READ),
    "deletion_preview": Page(USERS, POST),
    "deletion_job": Page(VIEW, READ, JOB),
    "deletion_confirm": Page(USERS, POST, JOB),
    "deletion_cancel": Page(USERS, POST, JOB),
    "deactivated_list": Page(VIEW, READ),
    "reactivation_call": Page(VIEW, READ, TOMBSTONE),
    # moderation
    "ban_list": Page(VIEW, READ),
    "ban_impose": Page(MODERATE, FORM),
    "ban_change_several": Page(MODERATE, FORM),
    "ban_change": Page(MODERATE, FORM, BAN),
    "ban_preview": Page(MODERATE, READ),
    "ban_lift": Page(MODERATE, POST),
    "ban_undo_lift": Page(MODERATE, POST),
    "list_browse": Page(VIEW, READ),
    "list_add": Page(MODERATE, FORM),
    "list_remove": Page(MODERATE, POST),
    "allowlist_switch": Page(MODERATE, POST),
    "may_message": Page(VIEW, READ),
    "user_moderation": Page(VIEW, READ, USER),
}
# Pages of nobody's application: what anybody gets by GET, and what an account gets.
ABOVE = {
    "root": ("sign-in", 302),
    "overview": ("sign-in", 200),
    "application_create": ("sign-in", 200),
    "password-change": ("sign-in", 200),
    "api_docs": ("sign-in", 200),
    "api_document": ("sign-in", 200),
    "sign-out": ("sign-in", 405),
    "sign-in": (200, 302),
    "set-password": (200, 200),
    "favicon": (302, 302),
}
ABOVE_ARGS = {"set-password": ["MQ", "x-y"], "api_docs": ["agora"], "api_document": ["agora"]}
# What answers without signing in, and nothing else. Django admin keeps its own door.
OPEN = {"sign-in", "set-password", "favicon"}


def pages(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """(address pattern, page) of all that is routed, admin left out."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from pages(pattern, route)
        else:
            yield route, pattern


ROUTED = {str(pattern.name): (route, pattern) for route, pattern in pages()}


class TestEveryPage:
    def test_has_a_name_of_its_own(self):
        assert len(ROUTED) == len(list(pages()))

    def test_has_a_row_here(self):
        assert set(ROUTED) == {*OF_ENVIRONMENT, *ABOVE}

    def test_of_an_environment_states_the_permission_of_its_row(self):
        stated = {name: ROUTED[name][1].callback.permission.value for name in OF_ENVIRONMENT}
        assert stated == {name: page.needs for name, page in OF_ENVIRONMENT.items()}

    def test_under_an_environments_address_is_in_that_table(self):
        below = {name for name, (route, _) in ROUTED.items() if "<kind:kind>" in route}
        assert below == set(OF_ENVIRONMENT)

    def test_is_closed_unless_it_is_on_the_list(self):
        opened = {
            name
            for name, (_, pattern) in ROUTED.items()
            if not getattr(pattern.callback, "login_required", True)
        }
        assert opened == OPEN


@dataclass
class World:
    """One of everything that an address can name, in one environment."""

    environment: Any
    ids: dict[str, Any]

    def url(self, name: str) -> str:
        return address(
            name, self.environment, *(self.ids[arg] for arg in OF_ENVIRONMENT[name].args)
        )


@pytest.fixture
def application(db):
    application = make_application()
    make_member(application=application, role=Role.OWNER)  # or removals would meet the last one
    return application


def world(application: Any, kind: str) -> World:
    environment = make_environment(application=application, kind=kind)
    user = make_user(environment=environment, user_id="mia")
    webhook = make_webhook(environment=environment)
    job_id = 0
    if environment.is_development:
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
            "ban_id": make_ban(environment=environment, user_id="mallory", expires_at=None).pk,
            "connection_id": make_connection(environment=environment, user_id="mia").pk,
            "tombstone": make_deactivated(environment=environment, user_id="gone").user_id,
        },
    )


def ask(client: Any, method: str, url: str) -> Any:
    """The answer, with whatever it changed undone."""
    with transaction.atomic():
        response = getattr(client, method.lower())(url)
        transaction.set_rollback(True)
    return response


def every_request(here: World) -> Iterator[tuple[str, str, str, Page]]:
    for name, page in OF_ENVIRONMENT.items():
        for method in ("GET", "POST"):
            yield name, method, here.url(name), page


@pytest.mark.parametrize("kind", ["development", "production"])
class TestWhoMayOpenWhat:
    @pytest.mark.parametrize("role", Role.values)
    def test_a_member_opens_what_the_role_holds(self, client, application, kind, role):
        here = world(application, kind)
        client.force_login(make_member(application=application, role=role).account)
        wrong = {}
        for name, method, url, page in every_request(here):
            status = ask(client, method, url).status_code
            if method not in page.methods.split():
                fits = status == 405
            elif page.needs not in HELD[kind][role]:
                fits = status == 403
            else:
                # 409: the law forbids it whoever asks, such as deleting in production. 404: there
                # are no deletion jobs in production.
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

    def test_nobody_gets_past_the_sign_in(self, client, application, kind):
        here = world(application, kind)
        wrong = {}
        for name, method, url, _ in every_request(here):
            response = ask(client, method, url)
            if response.status_code != 302 or not response.url.startswith(reverse("sign-in")):
                wrong[name, method] = response.status_code
        assert wrong == {}


@pytest.mark.django_db
class TestPagesAbove:
    @pytest.mark.parametrize("name", ABOVE)
    def test_answer_as_their_row_says(self, client, name):
        url = reverse(name, args=ABOVE_ARGS.get(name, []))
        anonymous, account = ABOVE[name]
        response = client.get(url)
        if anonymous == "sign-in":
            assert response.url.startswith(reverse("sign-in"))
        else:
            assert response.status_code == anonymous
        client.force_login(make_account())
        assert client.get(url).status_code == account


@pytest.mark.django_db
class TestRefusal:
    def test_names_the_missing_permission_and_who_has_it(self, client, application):
        here = world(application, "production")
        client.force_login(make_member(application=application, role=Role.TESTER).account)
        refused = client.post(here.url("secret_add"))
        assert refused.status_code == 403
        assert "manage the application" in refused.text
        assert "Needs role admin or owner" in refused.text

    def test_is_one_line_for_htmx(self, client, application):
        here = world(application, "production")
        client.force_login(make_member(application=application, role=Role.TESTER).account)
        refused = client.post(here.url("secret_add"), headers={"HX-Request": "true"})
        assert refused["Content-Type"].startswith("text/plain")
        assert "Needs role admin or owner" in refused.text

    def test_of_a_page_that_is_none_tells_nothing(self, client, application):
        client.force_login(make_account())
        missing = client.get("/console/no-such-app/development/")
        theirs = client.get(world(application, "development").environment.get_absolute_url())
        assert (missing.status_code, missing.text) == (theirs.status_code, theirs.text)
