"""Vendors as the law knows them: any, or none; and their settings, which it keeps unread."""

import pytest

from applications import environments, webhooks
from applications.models import AuditEvent
from applications.vendors import InvalidSetting, Occasion, vendors
from tests.factories import NOON, make_application, make_environment, staff_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment():
    return make_environment(kind="production")


def change(environment, **vendor_settings):
    return environments.change(
        environment=environment, vendor_settings=vendor_settings, by=staff_actor(), now=NOON
    )


class TestVendorSettings:
    def test_change_one_by_one_and_leave_what_is_not_named(self, environment):
        change(environment, agora={"open_registration": True})
        change(environment, agora={"error_dialect": "easemob"}, nexconn={"rate_limits": {}})
        changed = change(environment, agora={"open_registration": False})
        assert changed.vendor_settings == {"agora": {"error_dialect": "easemob"}}

    def test_leave_one_line_that_names_vendor_and_setting(self, environment):
        change(environment, agora={"open_registration": True}, nexconn={"rate_limits": {}})
        change(environment, agora={"open_registration": True})
        line = AuditEvent.objects.get(type="environment.changed")
        assert line.before == {"agora_open_registration": "False"}
        assert line.after == {"agora_open_registration": "True"}

    @pytest.mark.parametrize(
        ("vendor", "wrong", "name"),
        [
            ("agora", {"open_registration": "perhaps"}, "agora_open_registration"),
            ("agora", {"error_dialect": "klingon"}, "agora_error_dialect"),
            ("agora", {"require_signature_v2": True}, "agora_require_signature_v2"),
            ("nexconn", {"rate_limits": {"user/ban": 0}}, "nexconn_rate_limits"),
            ("nexconn", {"rate_limits": {"user/ban": 100_001}}, "nexconn_rate_limits"),
            ("nexconn", {"rate_limits": {"user/praise": 5}}, "nexconn_rate_limits"),
            ("nobody", {}, "nobody"),
        ],
    )
    def test_are_the_vendors_to_refuse(self, environment, vendor, wrong, name):
        with pytest.raises(InvalidSetting) as refused:
            change(environment, **{vendor: wrong})
        assert refused.value.name == name
        environment.refresh_from_db()
        assert environment.vendor_settings == {}

    def test_of_a_vendor_that_is_not_here_are_kept(self):
        environment = make_environment(vendor_settings={"departed": {"colour": "red"}})
        changed = change(environment, agora={"require_password": False})
        assert changed.vendor_settings["departed"] == {"colour": "red"}


class TestWithoutVendors:
    @pytest.fixture(autouse=True)
    def _none(self, settings):
        settings.API_VENDORS = []

    def test_applications_are_made_and_no_path_is_taken_for_a_vendors(self):
        application = make_application(name="v4")
        assert (application.org_name, application.vendors) == ("v4", [])
        assert make_application(name="admin").org_name != "admin"

    def test_webhooks_are_written_our_own_way(self):
        assert list(webhooks.formats()) == ["standard"]


def test_every_vendor_shows_how_to_start():
    assert all(vendor.snippets[Occasion.START] for vendor in vendors())


def test_an_application_answers_only_the_vendors_that_there_are():
    application = make_application()
    environments.enable_vendors(
        application=application, names=["agora", "nobody"], by=staff_actor(), now=NOON
    )
    application.refresh_from_db()
    assert application.vendors == ["agora"]
