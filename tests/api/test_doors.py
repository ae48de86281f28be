"""Which vendor's door handles a request, and errors in that vendor's format."""

import json
import logging
from io import BytesIO

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import AsyncRequestFactory

from api import doors
from rollcall.log_lines import Line
from tests.api.agora.calls import Agora
from users import registration

TOKEN_CALLS = ["/user/getToken.json", "/v4/auth/access-token/issue"]


@pytest.fixture
def senders(rongcloud, nexconn):
    return {"/user": rongcloud, "/v4": nexconn}


@pytest.fixture(params=["/user", "/v4"])
def door(request, senders):
    """Each vendor's caller in turn, with the path of its token call."""
    sender = senders[request.param]
    sender.path = next(path for path in TOKEN_CALLS if path.startswith(request.param))
    sender.good = (
        b"userId=ann&name=Ann" if request.param == "/user" else b'{"userId":"ann","name":"Ann"}'
    )
    return sender


class TestRouting:
    def test_the_first_segment_decides(self, door):
        status, body = door.send(door.path, door.good)

        assert status == 200
        assert body["code"] in {0, 200}

    def test_repeated_slashes_collapse(self, door):
        path = "//" + door.path.lstrip("/").replace("/", "///")

        assert door.send("/", door.good, PATH_INFO=path)[0] == 200

    @pytest.mark.parametrize(
        "path",
        ["/", "/console/", "/admin/", "/users/getToken", "/v40/user/ban", "/favicon.ico"],
    )
    def test_django_handles_paths_that_no_vendor_owns(self, client, db, path):
        response = client.post(path)

        assert not response.headers["Content-Type"].startswith("application/json")
        assert "X-Request-ID" not in response.headers

    @pytest.mark.parametrize(
        "path",
        [
            *("/group/create.json", "/chatroom/user/exist.json", "/message/private/publish.json"),
            *("/push.json", "/sensitiveword/add.json", "/user/getToken.xml", "/nothing.json"),
            "/v4/group/create",
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_a_call_to_a_module_that_is_not_served_gets_the_vendors_404(
        self, rongcloud, path, method
    ):
        for headers in (rongcloud.headers, {}):
            rongcloud.headers = headers
            assert rongcloud.send(path, method=method) == (
                404,
                {"code": 404, "errorMessage": "No such call"},
            )

    def test_a_request_with_an_app_key_is_rongclouds(self, rongcloud):
        assert rongcloud.send("/group/create.xml")[0] == 404
        rongcloud.headers = {"RC-App-Key": "any"}
        assert rongcloud.send("/push")[0] == 404

    def test_pages_and_other_vendors_keep_their_paths(self, rongcloud, environment):
        document = rongcloud.client.get("/console/api/rongcloud/openapi.json")
        assert document.status_code in {200, 302}
        assert "X-Request-ID" not in document
        environment.application.org_name = "group"
        environment.application.save()
        agora = Agora(environment)
        assert agora("GET", "users")[0] == 200
        assert agora("GET", "users/x.json")[1]["error"] == "service_resource_not_found"

    def test_a_call_uses_no_session_and_sets_no_cookie(self, door):
        door.client.enforce_csrf_checks = True

        assert door.send(door.path, door.good)[0] == 200
        assert not door.response.cookies
        assert "Vary" not in door.response
        assert "Content-Security-Policy" not in door.response


class TestErrorsAreInTheVendorsFormat:
    def test_an_unknown_path(self, door):
        status, body = door.send(door.path + "/more", door.good)

        assert (status, body) == (404, {"code": 404, "errorMessage": "No such call"})

    @pytest.mark.parametrize("odd", ["%ff", "%00", "%0a", "..", "%2f", "😀", "a" * 5000, "?", ";x"])
    def test_an_odd_path(self, door, odd):
        status, body = door.send("/".join([*door.path.split("/")[:2], odd, "x"]), door.good)

        assert (status, body["code"]) == (404, 404)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    def test_a_wrong_method(self, door, method):
        status, body = door.send(door.path, door.good, method=method)

        assert (status, body["code"]) == (405, 1003)
        assert door.response["Allow"] == "POST"

    def test_a_body_too_large(self, door, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

        status, body = door.send(door.path, door.good + b" " * 1000)

        assert (status, body["code"]) in {(413, 1508), (400, 1005)}

    def test_a_body_too_large_without_a_declared_length(self, door, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        scope = AsyncRequestFactory()._base_scope(path=door.path, method="POST")
        request = ASGIRequest(scope, BytesIO(door.good + b" " * 1000))

        response = doors.DoorMiddleware(pytest.fail)(request)

        answer = (response.status_code, json.loads(response.content)["code"])
        assert answer in {(413, 1508), (400, 1005)}

    def test_a_crash_with_the_traceback_only_in_the_log(self, door, monkeypatch, caplog):
        def crash(**_):
            raise ZeroDivisionError("secret inner thing")

        monkeypatch.setattr(registration, "register", crash)

        status, body = door.send(door.path, door.good)

        assert (status, body) == (500, {"code": 1000, "errorMessage": "Internal error"})
        [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert record.exc_info[0] is ZeroDivisionError
        assert door.response["X-Request-ID"] in Line().format(record)


class TestRequestId:
    def test_is_echoed(self, door):
        sent = "0b6f3a52-9f2c-4c58-8b7e-2f1d0c9a7e11"
        door.send(door.path, door.good, headers={**door.headers, "X-Request-ID": sent})

        assert door.response["X-Request-ID"] == sent

    def test_is_sanitized_for_headers_and_logs(self, door):
        sent = "<b>\x01é ok" + "x" * 100
        door.send(door.path, door.good, headers={**door.headers, "X-Request-ID": sent})

        assert door.response["X-Request-ID"] == ("bok" + "x" * 100)[:64]

    def test_is_generated_if_none_was_sent(self, door):
        door.send(door.path, door.good)

        assert len(door.response["X-Request-ID"]) == 36


class TestLog:
    def test_has_one_line_for_each_call(self, door, environment, caplog):
        with caplog.at_level(logging.INFO, logger=doors.__name__):
            door.send(door.path, door.good, headers={**door.headers, "X-Request-ID": "r-1"})
            door.send("/".join(door.path.split("/")[:2]) + "/%0Aforged", b"")

        first, second = [Line().format(record) for record in caplog.records]
        assert f"application={environment.application.org_name} environment=development" in first
        assert f"who={environment.app_key} status=200 ms=" in first
        assert first.endswith("request=r-1")
        assert '"unknown call"' in second
        assert "\n" not in second
