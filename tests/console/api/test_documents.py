"""Each door's OpenAPI document: complete, and the truth. Schemathesis makes the calls that it
describes, rightly and wrongly, and what is answered must be described as well.
"""

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from applications.models import Plan
from console.api import documents
from console.api.doors import VENDORS
from tests.console.api.agora.calls import Agora
from tests.console.api.callers import signed_headers
from tests.console.api.test_codes import CAUGHT, MISTAKES, calls_of, raised_by
from tests.factories import make_environment, make_user

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = hypothesis.settings(
    hypothesis.settings.get_profile("suite"),
    max_examples=5,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)
OPERATIONS = [
    pytest.param(vendor, found.ok(), id=f"{vendor.name} {found.ok().label}")
    for vendor in VENDORS
    for found in schemathesis.openapi.from_dict(documents.of(vendor)).get_all_operations()
]


@pytest.fixture
def app(noon, settings):
    """The whole installation, in this test's transaction."""
    settings.API_RATE_LIMITS = False
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield WSGIHandler()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def environment(db):
    """Without a quota, or most calls would end at it."""
    environment = make_environment(kind="production", plan=Plan.PRO)
    for user_id in ("0", "00", "A"):  # which are generated soon
        make_user(environment=environment, user_id=user_id)
    return environment


class TestCalls:
    @pytest.mark.parametrize(("vendor", "operation"), OPERATIONS)
    def test_are_answered_as_described_and_never_with_a_crash(
        self, app, environment, vendor, operation
    ):
        if vendor.tenant_segments:
            caller = Agora(environment)
            base, headers = caller.base, {"Authorization": f"Bearer {caller.token}"}
        else:
            base, headers = "", signed_headers(environment)
        operation.schema.app = app  # it decides by what transport

        def call(case):
            response = case.call(app=app, base_url=f"http://testserver{base}", headers=headers)
            case.validate_response(response, checks=CHECKS)

        for mode in GenerationMode:
            strategy = operation.as_strategy(generation_mode=mode)
            EXAMPLES(hypothesis.given(strategy)(call))()


class TestDocument:
    @pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
    def vendor(self, request):
        return request.param

    def test_has_every_call_under_a_name_of_its_own(self, vendor):
        names = [call["operationId"] for *_, call in documents.operations(documents.of(vendor))]

        assert sorted(names) == sorted(
            {vendor.call_name(method, route).strip() for method, route, _ in calls_of(vendor)}
        )

    def test_knows_the_status_of_every_refusal_that_a_call_can_end_in(self, vendor):
        entrances = [*vendor.api.auth, vendor.api.parser.parse_body]
        for method, route, view in calls_of(vendor):
            name = vendor.call_name(method, route)
            described = {answer.status for answer in vendor.documented.errors(name)}
            known = {}
            raised = set().union(*(raised_by(each, known) for each in [*entrances, view]))
            ends = {
                getattr(vendor.refusals.get(error), "status", None)
                for error in raised - MISTAKES - CAUGHT
            }
            assert ends - {None} <= described, name
