"""A vendor's web SDK on the page "Try it": in a sandboxed frame, with the real SDK."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests import web_sdks
from tests.console.pages import address, sign_in
from tests.factories import make_environment

SDK = "https://cdn.example.com/imlib.mjs"


def policy(response):
    """Directive → its values."""
    header = response.headers["Content-Security-Policy"]
    return {part.split()[0]: part.split()[1:] for part in header.split("; ")}


@pytest.mark.django_db
@pytest.mark.usefixtures("member")
class TestFrame:
    def test_is_sandboxed_and_reaches_the_sdk_and_the_gateway_only(self, client, environment):
        response = client.get(
            address("try_it:client", environment), {"client": "rongcloud", "sdk": SDK}
        )
        rules = policy(response)
        assert rules["sandbox"] == ["allow-scripts"]
        assert rules["default-src"] == ["'none'"]
        assert rules["script-src"] == [
            *("http://testserver", "https://cdn.example.com", "'unsafe-eval'")
        ]
        assert rules["connect-src"] == ["http://testserver", "ws://testserver"]
        assert rules["frame-ancestors"] == ["'self'"]
        assert response.headers["X-Frame-Options"] == "SAMEORIGIN"

    @pytest.mark.parametrize(
        "query",
        [
            {"client": "rongcloud"},
            {"client": "nobody", "sdk": SDK},
            {"client": "rongcloud", "sdk": "http://cdn.example.com/imlib.mjs"},
            {"client": "rongcloud", "sdk": "javascript:alert(1)"},
            {"client": "rongcloud", "sdk": "https://cdn.example.com/a;script-src *"},
            {"client": "rongcloud", "sdk": "https://user@cdn.example.com/imlib.mjs"},
        ],
    )
    def test_is_refused_for_anything_but_the_address_of_a_script(self, client, environment, query):
        response = client.get(address("try_it:client", environment), query)
        assert response.status_code == 409
        assert "sandbox" not in policy(response)

    def test_exists_in_development_only(self, client, environment):
        production = make_environment(kind="production", application=environment.application)
        response = client.get(
            address("try_it:client", production), {"client": "rongcloud", "sdk": SDK}
        )
        assert response.status_code == 409


@pytest.fixture(scope="session")
def sdks():
    """A server like those that pages load npm packages from."""
    web_sdks.install()
    modules = web_sdks.FOLDER / "node_modules"
    imlib = (modules / "rongcloud-imlib-5.38/index.mjs").read_text()
    files = {
        "/imlib.mjs": imlib.replace("@rongcloud/engine", "/engine.mjs"),
        "/engine.mjs": (modules / "rongcloud-engine-5.38/index.mjs").read_text(),
        "/agora.js": (modules / "agora-chat/Agora-chat.js").read_text(),
    }

    class Files(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript; charset=utf-8")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(files[self.path].encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_two_vendors_sdks_talk_and_one_is_kicked(page, client, server, environment, sdks):
    sign_in(client, environment)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server}])
    page.context.route("https://**", lambda route: route.abort())
    page.goto(f"{server}{address('try_it:index', environment)}?a=mia&b=ben")
    left, right = (page.locator(f"[data-pane={name}]") for name in ("a", "b"))
    for pane, vendor, file in ((left, "rongcloud", "imlib.mjs"), (right, "agora", "agora.js")):
        pane.get_by_label("Client", exact=True).select_option(vendor)
        pane.get_by_label("Address of the SDK").fill(f"{sdks}/{file}")
        pane.get_by_role("button", name="Connect", exact=True).click()
        expect(pane.locator("[data-state]")).to_have_text("Connected")
    for pane, other, text in ((left, right, "hello"), (right, left, "hello back")):
        pane.get_by_label("Message", exact=True).fill(text)
        pane.get_by_role("button", name="Send").click()
        expect(pane.locator(".talk-line.sent").last).to_contain_text("stored")
        expect(other.locator(".talk-line.received .talk-words").last).to_have_text(text)
    left.get_by_role("button", name="Kick").click()
    expect(left.locator("[data-state]")).to_contain_text("Closed")
    expect(left.locator(".talk-line.note").last).to_contain_text("31010")
