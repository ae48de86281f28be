"""Each door's OpenAPI document is complete and correct. Schemathesis makes valid and invalid calls
from it, and checks the responses against it.
"""

from collections import Counter

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import documents
from applications.models import Plan
from applications.vendors import vendors
from moderation.bans import InvalidEnd
from moderation.mutes import InvalidMuteEnd
from tests.api.agora.calls import Agora
from tests.api.callers import signed_headers
from tests.api.test_codes import CAUGHT, MISTAKES, calls_of, raised_by
from tests.factories import make_environment, make_user
from tests.generated import SETTINGS, given
from users.friends import RefusesFriends
from users.identity import InvalidUserId

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = hypothesis.settings(
    SETTINGS,
    max_examples=5,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
OPERATIONS = [
    pytest.param(vendor, found.ok(), id=f"{vendor.name} {found.ok().label}")
    for vendor in vendors()
    for found in schemathesis.openapi.from_dict(documents.of(vendor)).get_all_operations()
]

# Exceptions that no caller can cause. (Nor InvalidUserId: Agora's schemas check names first.)
UNREACHABLE = {
    "POST users/<username>/deactivate": {InvalidEnd},  # the ban is permanent
    "GET mutes/<username>": {InvalidMuteEnd},  # raised by a function of the same name
    "POST users/<username>/contacts/import": {RefusesFriends},  # the app does not ask
}


@pytest.fixture(scope="module")
def installation():
    """One for all tests: Schemathesis reads the source of each application for its constants."""
    return WSGIHandler()


@pytest.fixture
def app(installation, at_noon, settings):
    """The whole installation, in this test's transaction."""
    settings.API_RATE_LIMITS = False
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield installation
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def environment(db):
    """Without a quota, because most calls would exceed it."""
    environment = make_environment(kind="production", plan=Plan.PRO)
    for user_id in ("0", "00", "A"):  # ids that are generated early
        make_user(environment=environment, user_id=user_id)
    return environment


class TestCalls:
    @pytest.mark.parametrize(("vendor", "operation"), OPERATIONS)
    def test_respond_as_documented_and_never_crash(self, app, environment, vendor, operation):
        if vendor.tenant_segments:
            caller = Agora(environment)
            base, headers = caller.base, {"Authorization": f"Bearer {caller.token}"}
        else:
            base, headers = "", signed_headers(environment)
        operation.schema.app = app  # it selects the transport

        def call(case):
            response = case.call(app=app, base_url=f"http://testserver{base}", headers=headers)
            case.validate_response(response, checks=CHECKS)

        for mode in GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)
            EXAMPLES(given(strategy)(call))()


class TestDocument:
    @pytest.fixture(params=vendors(), ids=lambda vendor: vendor.name)
    def vendor(self, request):
        return request.param

    def test_has_every_call_under_a_unique_name(self, vendor):
        names = [call["operationId"] for *_, call in documents.operations(documents.of(vendor))]

        assert sorted(names) == sorted(
            {vendor.call_name(method, route) for method, route, _ in calls_of(vendor)}
        )

    def test_says_what_each_call_does(self, vendor):
        calls = [call for *_, call in documents.operations(documents.of(vendor))]

        assert [call["operationId"] for call in calls if not call.get("description")] == []

    def test_has_every_refusal_of_each_call(self, vendor):
        operations = {
            call["operationId"]: call for *_, call in documents.operations(documents.of(vendor))
        }
        undocumented = {}
        for method, route, view in calls_of(vendor):
            name = vendor.call_name(method, route)
            entrances = [view, *vendor.api.auth]
            if "requestBody" in operations[name]:
                entrances.append(vendor.api.parser.parse_body)
            known = {}
            raised = set().union(*(raised_by(each, known) for each in entrances))
            raised -= {*MISTAKES, *CAUGHT, *UNREACHABLE.get(name, ()), InvalidUserId}
            ends = [vendor.refusals.get(error) for error in raised]
            code = vendor.documented.error_code
            described = {(each.status, each.code) for each in vendor.documented.errors(name)}
            found = {(end.status, getattr(end, code)) for end in ends if hasattr(end, code)}
            undocumented |= {name: found - described} if found - described else {}
        assert undocumented == {}

    def test_has_unique_schema_names(self, vendor):
        """Ninja keeps only one of two schemas with the same name."""
        package = f"api.{vendor.name}."
        names = Counter(
            form.__name__
            for form in set(subclasses(BaseModel))
            if form.__module__.startswith(package)
            and not form.__pydantic_generic_metadata__["args"]
        )
        assert [name for name, times in names.items() if times > 1] == []


def subclasses(kind):
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)
