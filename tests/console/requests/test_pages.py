from dataclasses import replace

import pytest

from applications import openapi, request_log
from applications.models import AuditEvent
from applications.vendors import Act, vendors
from moderation import bans
from tests.api.callers import signed_headers
from tests.console.pages import address
from tests.factories import NOON, api_actor, make_environment, make_logged_call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("member", "at_noon")]


@pytest.fixture
def log(environment):
    def log(here=None, **fields):
        call = make_logged_call(**fields)
        request_log.note(request_log.Answered((here or environment).pk, call))
        request_log.write()
        return call

    return log


@pytest.fixture
def show(client, environment):
    def show(**query):
        response = client.get(address("requests:index", environment), query)
        return [call for call, _ in response.context["calls"]]

    return show


class TestRequests:
    def test_are_listed_newest_first_and_of_this_environment(self, environment, log, show):
        production = make_environment(application=environment.application, kind="production")
        first = log()
        log(production)
        second = log(at=NOON.timestamp() + 1)
        assert show() == [second, first]

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "refused"},
            {"call": "user/LIST"},
            {"code": "1004"},
            {"code": "401"},
            {"secret": "cd34"},
        ],
    )
    def test_are_filtered(self, log, show, query):
        log()
        wanted = log(
            name="user/list", path="/user/list", status=401, code="1004", secret_hint="cd34"
        )
        assert show(**query) == [wanted]

    @pytest.mark.parametrize("query", [{"state": "odd"}, {"secret": "too long"}, {"call": "\0"}])
    def test_accept_any_query(self, client, environment, log, query):
        log()
        assert client.get(address("requests:index", environment), query).status_code == 200

    def test_say_how_to_make_the_first_one(self, client, environment):
        assert "No calls yet" in client.get(address("requests:index", environment)).text

    def test_lead_from_a_refusal_to_why(self, client, environment, log):
        refused = log(status=403, code="2007")
        page = client.get(address("requests:index", environment)).text
        assert f"/why/?q={refused.request_id}" in page


class TestRequest:
    def test_shows_what_the_call_changed(self, client, environment, log):
        call = log(request_id="r-7")
        by = replace(api_actor(), request_id="r-7")
        bans.impose(
            environment=environment, user_ids=["mia"], expires_at=None, reason="", by=by, now=NOON
        )
        page = client.get(address("requests:detail", environment, call.request_id)).text
        line = AuditEvent.objects.latest("pk")
        assert address("audit:line", environment, line.pk) in page

    def test_that_is_not_kept_is_not_found(self, client, environment):
        url = address("requests:detail", environment, "unknown")
        assert client.get(url).status_code == 404


def test_a_real_call_appears_with_its_code_and_without_its_body(client, environment, show):
    body = {"userId": "secret-name", "minute": "none"}
    headers = {**signed_headers(environment), "X-Request-ID": "mine"}
    [path] = [
        path
        for vendor in vendors()
        if "Signature" in vendor.document["components"]["securitySchemes"]
        for path, _, operation in openapi.operations(vendor.document)
        if operation["operationId"] == vendor.same_calls[Act.BAN].call
    ][:1]
    client.post(f"{path}?token=t", body, headers=headers)
    request_log.write()
    [call] = show()
    assert (call.method, call.path, call.request_id) == ("POST", path, "mine")
    assert call.is_refused
    assert call.code
    assert call.secret_hint == environment.secrets.get().hint
    assert "secret-name" not in repr(call)
    assert "token" not in repr(call)
