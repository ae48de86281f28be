"""Where requests may go, and how long and how much they may take. No test leaves the machine."""

import datetime
import http.client
import socket
import ssl
import threading
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from applications import outbound
from applications.outbound import NoAnswer, Refused
from tests.receiver import receiving
from tests.waiting import PATIENCE


@pytest.fixture
def resolver(monkeypatch):
    """`resolver[name] = [address, …]`; what else is asked is not known. Lists what was asked."""

    class Names(dict):
        asked: list[str] = []

    names = Names()

    def getaddrinfo(host, port, **_):
        names.asked.append(host)
        if host not in names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in each else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (each, port),
            )
            for each in names[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def called(monkeypatch):
    """The addresses that were connected to; each refuses."""
    addresses = []

    def connect(self, address):
        addresses.append(address)
        raise ConnectionRefusedError

    class Socket(socket.socket):
        pass

    monkeypatch.setattr(Socket, "connect", connect)
    monkeypatch.setattr(socket, "socket", Socket)
    return addresses


def post(url, **_):
    return outbound.post(url, headers={"X-A": "b"}, body=b"{}")


class TestIsPublic:
    @pytest.mark.parametrize(
        "address",
        [
            *("0.0.0.1", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9"),
            *("169.254.169.254", "172.16.0.1", "192.168.1.1", "192.0.0.192", "198.18.0.1"),
            *("192.0.2.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
            *("::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"),
            *("ff02::1", "ff0e::1", "2001:db8::1", "4000::1"),
            # What carries an IPv4 address inside.
            *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1"),
            *("64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::"),
        ],
    )
    def test_what_lies_inside_is_not(self, address):
        assert not outbound.is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "203.1.113.7", "2606:4700::6810:84e5"])
    def test_what_anybody_can_call_is(self, address):
        assert outbound.is_public(address)


class TestCheck:
    @pytest.mark.parametrize(
        "url",
        [
            *("", "hooks.example.com", "//hooks.example.com/", "https://", "https:///hooks"),
            *("http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd"),
            *("unix:///run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/", "gopher://a/"),
            *("https://me:pw@hooks.example.com/", "https://hooks.example.com\\@10.0.0.1/"),
            *("https://hooks.example.com:99999/", "https://hooks.example.com:0/", "https://[::1"),
            *("https://hooks..example.com/", "https://hooks example.com/", "https://h/\r\nX: y"),
            *("https://h\0/", "https://" + "a" * 64 + ".com/", "https://[fe80::1%25eth0]/"),
        ],
    )
    def test_refuses_what_is_no_public_https_address(self, url):
        with pytest.raises(Refused):
            outbound.check(url)

    @pytest.mark.parametrize(
        "url",
        [
            *("https://hooks.example.com", "https://hooks.example.com:8443/a?b=c#d"),
            *("https://203.1.113.7/", "https://[2606:4700::1]/", "https://bücher.example/ü?ü"),
        ],
    )
    def test_takes_others(self, url):
        outbound.check(url)

    @pytest.mark.usefixtures("local_webhooks")
    def test_takes_plain_http_for_trying_out(self):
        outbound.check("http://receiver:9000/hooks")


class TestPost:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "0x7f000001", "2130706433", "017700000001", "127.1", "0", "[::1]"]
    )
    def test_however_a_local_address_is_spelt(self, host, called):
        with pytest.raises(Refused, match="not public"):
            post(f"https://{host}/")
        assert called == []

    def test_a_name_that_leads_inside(self, resolver, called):
        resolver["hooks.example.com"] = ["169.254.169.254"]
        with pytest.raises(Refused):
            post("https://hooks.example.com/")
        assert called == []

    def test_a_name_that_leads_to_both(self, resolver, called):
        resolver["hooks.example.com"] = ["93.184.215.14", "::ffff:10.0.0.1"]
        with pytest.raises(Refused):
            post("https://hooks.example.com/")
        assert called == []

    def test_a_name_is_asked_once_and_what_was_checked_is_called(self, resolver, called):
        """Or a name that changes its mind in between would lead inside."""
        resolver["hooks.example.com"] = ["93.184.215.14", "93.184.215.15"]
        with pytest.raises(NoAnswer, match="refused"):
            post("https://hooks.example.com:8443/")
        assert resolver.asked == ["hooks.example.com"]
        assert called == [("93.184.215.14", 8443), ("93.184.215.15", 8443)]

    def test_an_address_stored_while_plain_http_was_allowed(self, called):
        with pytest.raises(Refused, match="https"):
            post("http://93.184.215.14/")
        assert called == []

    def test_a_name_that_is_not_known(self, resolver):
        with pytest.raises(NoAnswer, match="name is not known"):
            post("https://hooks.example.com/")

    @pytest.mark.usefixtures("local_webhooks")
    def test_gets_there(self):
        with receiving(status=202) as receiver:
            assert post(receiver.url + "/ü?a=b&c=d%20e#part") == 202
        [request] = receiver.received
        assert request.path == "/hooks/%C3%BC?a=b&c=d%20e"
        assert request.body == b"{}"
        assert request.headers["X-A"] == "b"
        assert request.headers["Host"] == receiver.url.split("/")[2]

    @pytest.mark.usefixtures("local_webhooks")
    def test_follows_no_redirect(self):
        with receiving(status=302) as receiver:
            receiver.headers["Location"] = receiver.url
            assert post(receiver.url) == 302
        assert len(receiver.received) == 1


def _serve(talk):
    """A server for one raw connection; its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        # The caller hangs up, as it should.
        with listener, listener.accept()[0] as connection, suppress(OSError):
            talk(connection)

    thread = threading.Thread(target=run)
    thread.start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/", thread


def _listen(connection):
    while connection.recv(100_000):
        pass


@pytest.mark.usefixtures("local_webhooks")
class TestAnswersAreBounded:
    @pytest.fixture
    def impatient(self, monkeypatch):
        """For those who never answer: whoever is late by a busy machine does not answer either."""
        monkeypatch.setattr(outbound, "DEADLINE", 0.4)

    def ask(self, talk):
        url, thread = _serve(talk)
        try:
            return post(url)
        finally:
            thread.join(timeout=PATIENCE)
            assert not thread.is_alive()

    @pytest.mark.usefixtures("impatient")
    def test_silence(self):
        with pytest.raises(NoAnswer, match="in time"):
            self.ask(_listen)

    def test_a_head_that_drips_is_cut_and_its_status_counts(self, monkeypatch):
        """The deadline passes once the status has arrived, and not by the clock."""
        deadlines, has_status = [], threading.Event()

        class Deadline(threading.Timer):
            def __init__(self, seconds, cut):
                super().__init__(seconds, cut)
                deadlines.append(self)

        def parse_headers(file):
            has_status.set()
            return real(file)

        def drip(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            assert has_status.wait(PATIENCE)
            while True:
                connection.sendall(b"X: y\r\n")
                deadlines[0].function()
                threading.Event().wait(0.05)

        real = http.client.parse_headers
        monkeypatch.setattr(http.client, "parse_headers", parse_headers)
        monkeypatch.setattr(outbound, "Timer", Deadline)
        assert self.ask(drip) == 200

    @pytest.mark.usefixtures("impatient")
    def test_a_hundred_thousand_continues(self):
        def stall(connection):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                threading.Event().wait(0.01)

        with pytest.raises(NoAnswer, match="in time"):
            self.ask(stall)

    def test_a_body_without_end_is_not_read(self):
        def pour(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65_536)

        assert self.ask(pour) == 200

    def test_a_gigabyte_a_byte_at_a_time_is_cut_by_the_clock(self, impatient):
        """A status line without end, then a body without end."""

        def drip(connection):
            while True:
                connection.sendall(b"H")
                threading.Event().wait(0.01)

        with pytest.raises(NoAnswer, match="in time"):
            self.ask(drip)

    @pytest.mark.parametrize("part", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X: " + b"y" * 9_000])
    def test_a_gigabyte_of_heads_is_cut_by_its_size(self, part, monkeypatch):
        """No clock: the deadline is far away."""
        sent = []

        def pour(connection):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n")
            for _ in range(1_000_000_000 // len(part)):
                connection.sendall(part)
                sent.append(len(part))

        with pytest.raises(NoAnswer, match="without an answer"):
            self.ask(pour)
        # What was on the way is in the buffers of two sockets.
        assert sum(sent) < 20_000_000

    @pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n"])
    def test_no_http(self, said):
        with pytest.raises(NoAnswer, match="without an answer"):
            self.ask(lambda connection: (connection.recv(100_000), connection.sendall(said)))

    @pytest.mark.usefixtures("impatient")
    def test_a_handshake_that_never_ends(self):
        url, thread = _serve(_listen)
        with pytest.raises(NoAnswer, match="in time"):
            post(url.replace("http:", "https:"))
        thread.join(timeout=PATIENCE)


@pytest.mark.usefixtures("local_webhooks")
class TestCertificates:
    @pytest.fixture
    def server(self, tmp_path):
        """(its port, the file that makes it trusted): its certificate is for localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
            .not_valid_after(datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / "localhost.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)

        def talk(connection):
            with context.wrap_socket(connection, server_side=True) as secure:
                request = b""
                while not request.endswith(b"{}"):
                    request += secure.recv(100_000)
                secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        url, thread = _serve(talk)
        yield int(url.split(":")[2].strip("/")), pem
        thread.join(timeout=PATIENCE)

    @pytest.fixture
    def trusting(self, server, monkeypatch):
        context = ssl.create_default_context(cafile=server[1])
        monkeypatch.setattr(outbound, "_tls", lambda: context)

    @pytest.mark.usefixtures("trusting")
    def test_one_that_is_trusted_for_its_name(self, server):
        assert post(f"https://localhost:{server[0]}/") == 204

    @pytest.mark.usefixtures("trusting")
    def test_one_for_another_name(self, server):
        with pytest.raises(NoAnswer, match="certificate is not valid"):
            post(f"https://127.0.0.1:{server[0]}/")

    def test_one_that_nobody_vouches_for(self, server):
        with pytest.raises(NoAnswer, match="certificate is not valid"):
            post(f"https://localhost:{server[0]}/")
