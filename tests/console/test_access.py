"""Law 30 for every route of the URLconf, by method, role and application (tables: `routes.py`)."""

import re
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from applications.models import Role
from tests.console.routes import (
    ADMIN_ARGS,
    ADMIN_PAGES,
    ENVIRONMENT_PAGES,
    JOB,
    OPEN,
    OTHER_PAGE_ARGS,
    OTHER_PAGES,
    PERMISSIONS,
    ROUTED,
    ROUTES,
    SIGN_IN,
    WAYS_IN_AND_OUT,
    World,
    in_admin,
    world,
)
from tests.factories import make_account, make_application, make_member

SENT = ("GET", "POST")
OTHER_METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")


class TestEveryRoute:
    def test_has_a_name_of_its_own(self):
        names = [name for name, *_ in ROUTES if not in_admin(name)]
        assert len(set(names)) == len(names)

    def test_has_a_row(self):
        assert set(ROUTED) == {*ENVIRONMENT_PAGES, *OTHER_PAGES}

    def test_of_an_environment_states_the_permission_of_its_row(self):
        stated = {name: ROUTED[name][1].callback.permission.value for name in ENVIRONMENT_PAGES}
        assert stated == {name: page.needs for name, page in ENVIRONMENT_PAGES.items()}

    def test_under_an_environments_url_is_in_that_table(self):
        below = {name for name, (route, _) in ROUTED.items() if "<kind:kind>" in route}
        assert below == set(ENVIRONMENT_PAGES)

    def test_requires_signing_in_unless_listed(self):
        opened = {
            name for name, _, page in ROUTES if not getattr(page.callback, "login_required", True)
        }
        assert opened == OPEN | {"admin:login"}


@pytest.fixture
def application(db):
    application = make_application()
    make_member(application=application, role=Role.OWNER)  # so another owner is removable
    return application


def ask(client: Any, method: str, url: str) -> Any:
    """The response. Its changes are rolled back."""
    with transaction.atomic():
        response = getattr(client, method.lower())(url)
        transaction.set_rollback(True)
    return response


def wrong_answers(
    client: Any, here: World, fits: Any, methods: Any = SENT, names: Any = ENVIRONMENT_PAGES
) -> dict[Any, int]:
    """(page, method) → status, for each that does not fit the page's row."""
    answers = {
        (name, method): (page, method, ask(client, method, here.url(name)).status_code)
        for name, page in ENVIRONMENT_PAGES.items()
        if name in names
        for method in methods
    }
    return {key: answer[2] for key, answer in answers.items() if not fits(*answer)}


def leads_to_sign_in(response: Any) -> bool:
    return response.status_code == 302 and response.url.startswith(
        (reverse(SIGN_IN), reverse("admin:login"))
    )


@pytest.mark.parametrize("kind", ["development", "production"])
class TestEveryPageOfAnEnvironment:
    @pytest.mark.parametrize("role", Role.values)
    def test_opens_to_members_whose_role_allows_it(self, client, application, kind, role):
        here = world(application, kind)
        client.force_login(make_member(application=application, role=role).account)

        def fits(page, method, status):
            if method not in page.methods.split():
                return status == 405
            if page.needs not in PERMISSIONS[kind][role]:
                return status == 403
            # 409: a rule forbids it for every role, such as deleting in production. 404:
            # production has no deletion jobs.
            return status in {200, 201, 204, 302, 409, 422} or (
                status == 404 and kind == "production" and page.args == JOB
            )

        assert wrong_answers(client, here, fits) == {}

    @pytest.mark.parametrize("who", ["member of another", "staff", "superuser"])
    def test_does_not_exist_for_anybody_else(self, client, application, kind, who):
        here = world(application, kind)
        account = make_account(is_staff=who != "member of another", is_superuser=who == "superuser")
        make_member(application=make_application(name="Other"), account=account)
        client.force_login(account)

        def fits(page, method, status):
            asked = "GET" if method == "HEAD" else method
            return status == (404 if asked in page.methods.split() else 405)

        assert wrong_answers(client, here, fits, (*SENT, *OTHER_METHODS)) == {}

    def test_sends_somebody_anonymous_to_sign_in(self, client, application, kind):
        here = world(application, kind)
        wrong = {
            (name, method)
            for name in ENVIRONMENT_PAGES
            for method in (*SENT, *OTHER_METHODS)
            if not leads_to_sign_in(ask(client, method, here.url(name)))
        }
        assert wrong == set()

    @pytest.mark.parametrize("role", Role.values)
    def test_answers_only_the_methods_of_its_row(self, client, application, kind, role):
        """HEAD is GET without its body, and opens to nobody to whom GET does not. What opens to the
        other roles is asked of the owner alone, because these are whole pages.
        """
        here = world(application, kind)
        client.force_login(make_member(application=application, role=role).account)
        granted = PERMISSIONS[kind][role]

        def fits(page, method, status):
            if method != "HEAD" or "GET" not in page.methods.split():
                return status == 405
            return status == 403 if page.needs not in granted else status != 405

        pages = {
            name
            for name, page in ENVIRONMENT_PAGES.items()
            if role == Role.OWNER or page.needs not in granted
        }
        assert wrong_answers(client, here, fits, ("HEAD",), pages) == {}
        assert wrong_answers(client, here, fits, OTHER_METHODS[1:]) == {}


@pytest.mark.django_db
class TestPagesOutsideEnvironments:
    @pytest.mark.parametrize("name", OTHER_PAGES)
    def test_answer_as_their_row_says(self, client, name):
        url = reverse(name, args=OTHER_PAGE_ARGS.get(name, []))
        anonymous, account = OTHER_PAGES[name]
        answers = {method: ask(client, method, url) for method in (*SENT, *OTHER_METHODS)}
        if anonymous == SIGN_IN:
            assert all(map(leads_to_sign_in, answers.values()))
        else:
            assert answers["GET"].status_code == anonymous
        client.force_login(make_account(password="correct horse"))
        assert client.get(url).status_code == account
        for method in OTHER_METHODS[1:]:
            assert ask(client, method, url).status_code in {200, 302, 404, 405}


class TestDjangoAdmin:
    """Every route of it. Those that have no name redirect to one that has."""

    @pytest.mark.parametrize(
        ("who", "opened"),
        [("anonymous", set()), ("owner", set()), ("staff", ADMIN_PAGES), ("superuser", None)],
    )
    def test_opens_to_staff_with_the_permission(self, client, application, who, opened):
        is_staff = who in {"staff", "superuser"}
        account = make_account(is_staff=is_staff, is_superuser=who == "superuser")
        make_member(application=application, account=account)
        if who != "anonymous":
            client.force_login(account)
        named = {name: route for name, route, _ in ROUTES if in_admin(name)}
        found = set()
        for name in named.keys() - {"admin:None", *WAYS_IN_AND_OUT}:
            url = reverse(name, kwargs=ADMIN_ARGS.get(name, self.of_a_record(named[name])))
            for method in SENT:
                response = ask(client, method, url)
                # Django admin leads away from a record that does not exist before it asks who may.
                leads_away = response.get("Location") == reverse("admin:index")
                refused = response.status_code in {403, 405} or leads_to_sign_in(response)
                if not refused and not leads_away:
                    found.add(name)
        lists = {name for name in named if name.endswith("_changelist")}
        assert found == (opened if opened is not None else found | lists)

    @staticmethod
    def of_a_record(route):
        """Number 1, whether it exists or not: who may not open it is not told."""
        return {name: 1 for name in ("object_id", "id") if re.search(rf"\b{name}>", route)}

    def test_shows_no_secret_of_a_second_factor(self):
        shown = {name.partition(":")[2].split("_")[0] for name, *_ in ROUTES if in_admin(name)}
        assert shown & {"mfa", "account", "socialaccount"} == set()


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
