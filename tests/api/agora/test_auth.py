"""Authentication at Agora Chat's door, in both error dialects."""

import pytest
import time_machine

from applications import app_secrets, environments
from applications.models import AuditEvent
from tests.api.agora.calls import APP, USER, access_token, chat
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_ban,
    make_token,
    make_user,
    staff_actor,
)

CLOSED = "registration is not open, please contact the app admin"
EXPIRED = ("unauthorized", "Unable to authenticate due to expired access token")
CORRUPT = ("auth_bad_access_token", "Unable to authenticate due to corrupt access token")
UNKNOWN = ("auth_bad_access_token", "Unable to authenticate")
OAUTH = ("unauthorized", "Unable to authenticate (OAuth)")


def refusal(agora, token, method="GET", path="users"):
    status, body = agora(method, path, token=token)
    assert status == 401
    return body["error"], body["error_description"]


@pytest.fixture
def bad_tokens(agora):
    foreign = "f" * 32
    return {
        "missing": "",
        "expired": agora.app_token(issued=int((NOON - HOUR).timestamp())),
        "malformed": "007nonsense",
        "opaque": "YWMtsomething",
        "wrong certificate": agora.app_token(certificate=foreign),
        "another app": agora.app_token(app_id=foreign),
        "from the future": agora.app_token(issued=int((NOON + HOUR).timestamp())),
        "nothing of Chat": access_token(
            app_id=agora.app_id, certificate=agora.certificate, services=[]
        ),
        "unknown user": agora.user_token("nobody"),
    }


class TestRefusedToken:
    def test_in_agoras_words(self, agora, bad_tokens):
        assert {name: refusal(agora, token) for name, token in bad_tokens.items()} == {
            "missing": EXPIRED,
            "expired": EXPIRED,
            "malformed": CORRUPT,
            "opaque": CORRUPT,
            "wrong certificate": UNKNOWN,
            "another app": UNKNOWN,
            "from the future": UNKNOWN,
            "nothing of Chat": UNKNOWN,
            "unknown user": UNKNOWN,
        }

    def test_in_easemobs_words(self, agora, bad_tokens):
        agora.environment.vendor_settings = {"agora": {"error_dialect": "easemob"}}
        agora.environment.save()

        refusals = {name: refusal(agora, token) for name, token in bad_tokens.items()}

        assert refusals.pop("another app") == CORRUPT
        assert set(refusals.values()) == {OAUTH}

    def test_at_registration_in_agoras_words(self, agora, bad_tokens):
        for token in bad_tokens.values():
            assert refusal(agora, token, "POST") == ("unauthorized", CLOSED)

    def test_at_registration_in_easemobs_words(self, agora, bad_tokens):
        agora.environment.vendor_settings = {"agora": {"error_dialect": "easemob"}}
        agora.environment.save()

        assert refusal(agora, "", "POST") == (
            "unauthorized",
            "Open registration doesn't allow, so register user need token,",
        )
        assert refusal(agora, bad_tokens["malformed"], "POST") == OAUTH

    def test_at_open_registration_has_the_text_for_its_failure(self, agora, bad_tokens):
        agora.environment.vendor_settings = {"agora": {"open_registration": True}}
        agora.environment.save()

        assert refusal(agora, bad_tokens["expired"], "POST") == EXPIRED
        assert refusal(agora, bad_tokens["wrong certificate"], "POST") == UNKNOWN

    def test_in_attribute_calls_repeats_the_text(self, agora):
        status, body = agora("GET", "metadata/user/ann", token="")

        assert status == 401
        assert body["desc"] == body["error_description"]

    def test_has_the_whole_error_envelope(self, agora):
        body = agora("GET", "users", token="")[1]

        assert set(body) == {"error", "exception", "timestamp", "duration", "error_description"}
        assert body["timestamp"] == int(NOON.timestamp() * 1000)
        assert body["duration"] == 0


class TestAccessToken2:
    def test_expires_at_its_own_time(self, agora):
        with time_machine.travel(NOON + 10 * MINUTE - MINUTE / 60, tick=False):
            assert agora("GET", "users")[0] == 200
        with time_machine.travel(NOON + 10 * MINUTE, tick=False):
            assert refusal(agora, agora.token) == EXPIRED

    def test_with_absolute_times_expires_after_a_day(self, agora):
        later = int(NOON.timestamp()) + 7200
        token = access_token(
            app_id=agora.app_id,
            certificate=agora.certificate,
            services=[chat({APP: later})],
            lifetime=later,
        )

        with time_machine.travel(NOON + DAY - MINUTE, tick=False):
            assert agora("GET", "users", token=token)[0] == 200
        with time_machine.travel(NOON + DAY, tick=False):
            assert refusal(agora, token) == EXPIRED

    def test_of_zero_seconds_has_expired(self, agora):
        assert refusal(agora, agora._token([chat({APP: 0})])) == EXPIRED

    def test_may_be_issued_by_a_clock_slightly_ahead(self, agora):
        token = agora.app_token(issued=int((NOON + 4 * MINUTE).timestamp()))

        assert agora("GET", "users", token=token)[0] == 200

    def test_may_be_signed_with_either_of_two_live_secrets_until_one_is_revoked(self, agora):
        old = agora.environment.secrets.get()
        new = app_secrets.add(environment=agora.environment, by=staff_actor(), now=NOON)
        token = agora.app_token(certificate=new.text)

        assert agora("GET", "users", token=token)[0] == 200
        assert agora("GET", "users")[0] == 200
        app_secrets.revoke(
            environment=agora.environment, secret_id=old.pk, by=staff_actor(), now=NOON
        )
        assert refusal(agora, agora.token) == UNKNOWN
        assert agora("GET", "users", token=token)[0] == 200

    def test_is_refused_in_another_environment(self, agora, live):
        assert refusal(live, agora.token) == UNKNOWN

    def test_of_a_user_names_them_by_id_or_by_uuid(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann")

        for name in ("ann", "ANN", str(ann.uuid)):
            assert agora("GET", "users/ann", token=agora.user_token(name))[0] == 200

    def test_of_a_user_is_revoked_with_their_other_tokens(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann", tokens_valid_from=NOON)
        second = int(NOON.timestamp())

        assert refusal(agora, agora.user_token("ann", issued=second - 1), path="users/ann") == (
            EXPIRED
        )
        assert agora("GET", "users/ann", token=agora.user_token("ann"))[0] == 200
        assert ann.tokens_valid_from == NOON

    def test_of_a_deleted_user_stays_invalid_after_registration(self, agora):
        make_user(environment=agora.environment, user_id="ann", registered_at=NOON + MINUTE)

        with time_machine.travel(NOON + MINUTE, tick=False):
            assert refusal(agora, agora.user_token("ann"), path="users/ann") == EXPIRED

    def test_for_app_and_user_counts_as_the_apps(self, agora):
        token = agora._token([chat({APP: 600, USER: 600}, "ann")])

        assert agora("GET", "users", token=token)[0] == 200


class TestTokensOfUsers:
    def test_allow_their_own_users_calls(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann")
        token = make_token(ann)

        for path in ("ann", str(ann.uuid), "ANN"):
            assert agora("GET", f"users/{path}", token=token)[0] == 200
        for path in ("users/ann/status", "users/ann/offline_msg_count", "users/ann/resources"):
            assert agora("GET", path, token=token)[0] == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            *(("GET", "users/bob"), ("GET", "users"), ("POST", "users"), ("DELETE", "users/ann")),
            *(("DELETE", "users"), ("POST", "users/ann/deactivate"), ("POST", "mutes")),
            *(("POST", "users/ann/activate"), ("GET", "users/ann/disconnect"), ("PUT", "")),
            *(("POST", "users/batch/status"), ("GET", "metadata/user/capacity")),
            ("GET", "users/bob/contacts/users"),
        ],
    )
    def test_allow_no_other_calls(self, agora, method, path):
        ann = make_user(environment=agora.environment, user_id="ann")
        make_user(environment=agora.environment, user_id="bob")

        for token in (make_token(ann), agora.user_token("ann")):
            error, text = refusal(agora, token, method, path)
            assert error == "unauthorized"
            assert text.startswith(
                f"Subject does not have permission [applications:{method.lower()}:"
            )

    def test_are_refused_for_a_banned_user(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann")
        make_ban(environment=agora.environment, user_id="ann")

        for token in (make_token(ann), agora.user_token("ann")):
            assert refusal(agora, token, path="users/ann") == UNKNOWN

    def test_name_the_user_in_the_audit_log(self, agora):
        ann = make_user(environment=agora.environment, user_id="ann")
        agora("PUT", "users/ann", {"nickname": "Ann"}, token=make_token(ann))

        event = AuditEvent.objects.get(type="user.updated")
        assert (event.actor, event.via) == ("user ann", "agora PUT users/<username>")


class TestApp:
    @pytest.mark.parametrize(
        "base", ["/nobody/development", "/{org}/staging", "/a%00b/development", "/app-id/unknown"]
    )
    def test_is_checked_before_the_token(self, agora, base):
        base = base.format(org=agora.environment.application.org_name)
        status, body = agora("GET", f"{base}/users/ann", token="")

        assert (status, body["error"]) == (404, "organization_application_not_found")
        org, app = base.strip("/").replace("%00", "\x00").split("/")
        assert body["error_description"] == (
            f"Could not find application for {org}/{app} from URI: {org}/{app}/users/ann"
        )

    def test_may_be_named_by_its_app_id(self, agora):
        make_user(environment=agora.environment, user_id="ann")
        status, body = agora("GET", f"/app-id/{agora.app_id}/users/ann/disconnect")

        assert status == 200
        assert not {"organization", "application", "applicationName"} & set(body)
        assert body["uri"] == f"http://testserver/app-id/{agora.app_id}/users/ann/disconnect"

    def test_may_close_this_door(self, agora):
        environments.enable_vendors(
            application=agora.environment.application,
            names=["nexconn"],
            by=staff_actor(),
            now=NOON,
        )
        status, body = agora("GET", "users")

        assert (status, body["error"]) == (403, "forbidden_service_operation")


class TestHeaders:
    @pytest.mark.parametrize("scheme", ["Bearer {}", "Bearer  {}", "bearer {}", " Bearer {} "])
    def test_blanks_and_case_do_not_matter(self, agora, scheme):
        headers = {"Authorization": scheme.format(agora.token)}

        assert agora("GET", "users", headers=headers)[0] == 200

    def test_an_empty_one_counts_as_absent(self, agora):
        assert agora("GET", "users", headers={"Authorization": "", "Accept": ""})[0] == 401

    @pytest.mark.parametrize(
        "content_type", ["", "text/plain", "application/x-www-form-urlencoded"]
    )
    def test_json_need_not_be_declared(self, agora, content_type):
        body = {"username": "ann", "password": "1"}

        assert agora("POST", "users", body, content_type=content_type)[0] == 200

    def test_other_types_are_refused(self, agora):
        status, body = agora("POST", "users", {"username": "ann"}, content_type="text/xml")

        assert (status, body["error"]) == (415, "web_application")

    def test_an_unexpected_body_is_ignored(self, agora):
        make_user(environment=agora.environment, user_id="ann")

        assert agora("DELETE", "users/ann", b"{not json")[0] == 200


class TestRates:
    def test_are_the_vendors_numbers(self, agora):
        for _ in range(30):
            assert agora("DELETE", "users")[0] == 200
        status, body = agora("DELETE", "users")

        assert (status, body["error"]) == (429, "reach_limit")
        assert body["error_description"] == "This request has reached api limit"
        assert agora.response["Retry-After"] == "1"
        assert agora("GET", "users")[0] == 200

    def test_may_be_overridden_by_an_environment(self, agora):
        agora.environment.vendor_settings = {"agora": {"rate_limits": {"GET users": 1}}}
        agora.environment.save()

        assert [agora("GET", "users")[0] for _ in range(2)] == [200, 429]


class TestUnknownCalls:
    @pytest.mark.parametrize("path", ["nothing", "users/ann/nothing", "user", "users/ann/x/y/z"])
    def test_are_404(self, agora, path):
        status, body = agora("GET", path)

        assert (status, body["error"]) == (404, "service_resource_not_found")

    def test_with_another_method_are_405(self, agora):
        status, body = agora("PATCH", "users")

        assert (status, body["error"]) == (405, "unsupported_service_operation")
        assert body["error_description"] == "Service operation not supported"

    def test_with_too_large_a_body_are_413(self, agora, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        status, body = agora("POST", "users", b" " * 1001)

        assert (status, body["error"]) == (413, "Request Entity Too Large")


class TestQueries:
    def test_are_constant_for_any_number_of_users(self, agora, django_assert_num_queries):
        agora("GET", "users")  # updates the secret's last use
        for number in range(20):
            make_user(environment=agora.environment, user_id=f"user-{number}")

        # The app is cached. A page is one statement; of one user the bans are read as well.
        for path, queries in (("users?limit=1", 1), ("users?limit=20", 1), ("users/user-1", 2)):
            with django_assert_num_queries(queries):
                assert agora("GET", path)[0] == 200
