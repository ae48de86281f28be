"""A passkey in a real browser, with Chromium's virtual authenticator."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


def test_a_passkey_is_added_and_signs_in_without_a_password(opened, live_server):
    make_account(username="grace", password=PASSWORD)
    with opened() as window:
        page = window.page
        # Passkeys belong to a host name; an IP address is none.
        window.server = live_server.url.replace("127.0.0.1", "localhost")
        authenticator = page.context.new_cdp_session(page)
        authenticator.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        window.open(reverse("mfa_add_webauthn"))
        page.get_by_label("Username").fill("grace")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_label("Sign in with it alone").check()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

        page.context.clear_cookies()
        window.open(reverse("overview:index"))
        page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        window.open(reverse("mfa_index"))
        expect(page.get_by_text("This one")).to_be_visible()
        assert window.complaints == []
