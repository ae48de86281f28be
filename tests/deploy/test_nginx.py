"""nginx, with the files of deploy/nginx, in front of the web server and a gateway."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from applications.requests import client_address, own_request_id
from rollcall.web.server import Server
from tests.factories import make_environment, make_user
from tests.gateway.live import Client, InThisProcess, first_frame
from tests.waiting import PATIENCE, eventually
from users.models import Connection

FILES = settings.BASE_DIR / "deploy/nginx"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def certificate(folder):
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rollcall.example")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / "fullchain.pem").write_bytes(made.public_bytes(pem))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )


def seen(environ, start_response):
    """What Rollcall takes a request for."""
    request = WSGIRequest(environ)
    size = len(environ["wsgi.input"].read())
    told = (client_address(request), request.scheme, request.get_host(), own_request_id(request))
    start_response("200 OK", [])
    return [" ".join([*map(str, told), str(size)]).encode()]


class Site:
    """nginx on ports of its own; `web` is the server behind it."""

    def __init__(self, folder, gateway):
        listener = socket.create_server(("127.0.0.1", 0))
        self.web = Server(seen, listener, threads=2, max_body=1_048_576, max_connections=100)
        self.web.start()
        self.port, self.plain_port = free_port(), free_port()
        certificate(folder)
        locations = folder / "rollcall-locations.conf"
        locations.write_text((FILES / "rollcall-locations.conf").read_text())
        text = (FILES / "rollcall.conf").read_text()
        for before, after in (
            ("127.0.0.1:8000", f"127.0.0.1:{listener.getsockname()[1]}"),
            ("127.0.0.1:8001", gateway.url.partition("//")[2]),
            ("listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl http2;\n", ""),
            ("/etc/ssl/rollcall", str(folder)),
            ("/etc/nginx/rollcall-locations.conf", str(locations)),
        ):
            assert before in text
            text = text.replace(before, after)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid; error_log {folder}/error.log; daemon off;\n"
            + ("user root;\n" if os.getuid() == 0 else "")
            + f"events {{}}\nhttp {{ access_log {folder}/access.log;\n{temporary}{text}}}"
        )
        self._process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"])
        assert eventually(self._listens), (folder / "error.log").read_text()

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def connect(self):
        context = ssl._create_unverified_context()  # noqa: S323 - it is our own, for this test
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname="rollcall.example")

    def ask(self, method="GET", path="/", body=None, **headers):
        with self.connect() as secure:
            connection = http.client.HTTPConnection("rollcall.example")
            connection.sock = secure
            headers = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def end(self):
        self._process.terminate()
        self._process.wait(PATIENCE)
        self.web.stop(within=1)


@pytest.fixture
def site(tmp_path, transactional_db, settings):
    settings.TRUSTED_PROXIES, settings.ALLOWED_HOSTS = 1, ["rollcall.example"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    gateway = InThisProcess()
    running = Site(tmp_path, gateway)
    yield running
    running.end()
    gateway.stop()


def test_requests_arrive_as_they_were_sent_and_slow_ones_not_before_they_are_whole(site):
    forged = {"X_Forwarded_For": "192.0.2.66", "X_Forwarded_Proto": "http", "X_Request_ID": "mine"}
    status, told = site.ask(**forged)
    assert (status, told) == (200, "127.0.0.1 https rollcall.example mine 0")
    with site.connect() as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: rollcall.example\r\nContent-Length: 9\r\n\r\nhalf")
        assert site.ask("POST", body=b"x" * 1_000_000)[1].endswith(" 1000000")
        assert not any(each.is_reading for each in site.web._connections.values())
    assert site.ask("POST", body=b"x" * 1_500_000)[1].endswith(" 0")  # Rollcall's own refusal
    assert site.ask("POST", body=b"x" * 70_000_000)[0] == 413
    connection = http.client.HTTPConnection("127.0.0.1", site.plain_port, timeout=PATIENCE)
    connection.request("GET", "/users?a=1", headers={"Host": "rollcall.example"})
    response = connection.getresponse()
    assert (response.status, response.headers["Location"]) == (
        308,
        "https://rollcall.example/users?a=1",
    )
    connection.close()


def test_chat_clients_connect_through_it_and_their_tokens_are_in_no_log(site, tmp_path):
    ada = make_user(environment=make_environment(), user_id="ada")
    client = Client(
        "ws://rollcall.example",
        sock=site.connect(),
        additional_headers={"X-Forwarded-For": "192.0.2.66"},
    )
    client.say(first_frame(ada))
    assert client.hear()["event"] == "connected"
    assert [str(each.address) for each in Connection.objects.all()] == ["127.0.0.1"]
    client.leave()
    assert site.ask(path="/navi.js?token=a-secret")[0] < 500
    assert "a-secret" not in (tmp_path / "access.log").read_text()
