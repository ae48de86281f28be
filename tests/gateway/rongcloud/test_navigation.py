"""Where the SDK learns whose token it has and where the gateway is."""

import json
import re
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.utils import timezone

from tests.waiting import PATIENCE
from users import tokens

ADDRESS = "127.0.0.1:{port}"


@pytest.fixture
def ask(gateway):
    """Sends a request to the gateway."""
    opened = HTTPConnection(urlsplit(gateway.url).netloc, timeout=PATIENCE)

    def send(method, path, body=None, **headers):
        opened.request(
            method, path, body, {name.replace("_", "-"): headers[name] for name in headers}
        )
        response = opened.getresponse()
        return response, response.read().decode()

    yield send
    opened.close()


@pytest.fixture
def token(ada):
    return tokens.issue(ada, now=timezone.now())


def form(token):
    """As SDK 5.38 sends it, its misspelt name included."""
    return urlencode({"token": token, "v": "5.38.0", "platfrom": "browser"})


def test_names_the_user_and_the_host_that_was_asked(ask, gateway, token):
    host = urlsplit(gateway.url).netloc
    response, body = ask("POST", "/v2/navi.json?cloud=0", form(token), RC_Negotiate="conn=5;rtc=4")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    answer = json.loads(body)
    assert (answer["code"], answer["userId"], answer["server"]) == (200, "ada", host)
    assert answer["serverAddr"] == [{"addr": host, "protocol": 5, "weight": 10}]
    assert answer["logSwitch"] == 0
    assert "type" not in answer


def test_names_the_port_that_a_url_leaves_out(ask, token, settings):
    def server(host, negotiate):
        _, body = ask("POST", "/v2/navi.json", form(token), Host=host, RC_Negotiate=negotiate)
        [server] = json.loads(body)["serverAddr"]
        return server["addr"], server["protocol"]

    assert server("chat.example.com", "conn=5") == ("chat.example.com:80", 5)
    assert server("chat.example.com", "conn=6;iptype=v4") == ("chat.example.com:443", 6)
    assert server("[::1]:8001", "conn=5") == ("[::1]:8001", 5)
    settings.GATEWAY_URL = "wss://gateway.example.com/gateway"
    assert server("chat.example.com", "conn=5") == ("gateway.example.com:443", 6)


def test_a_preflight_may_send_the_sdks_headers(ask):
    response, _ = ask("OPTIONS", "/v2/navi.json?cloud=0", Origin="https://app.example.com")
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"rc-appkey", "rc-negotiate", "content-type"} <= set(allowed)


def test_older_sdks_get_a_script_that_calls_the_function_they_name(ask, token):
    path = (
        f"/navi.js?appId=x&token={quote(token + '@http://here')}&callBack=getServerEndpoint&v=2.5.2"
    )
    response, body = ask("GET", path)
    assert response.headers["Content-Type"] == "text/javascript"
    [answer] = re.fullmatch(r"getServerEndpoint\((.*)\);", body).groups()
    assert json.loads(answer)["userId"] == "ada"
    for callback in ("alert(1)//", "<script>", "x" * 65):
        assert ask("GET", f"/navi.js?token={token}&callBack={quote(callback)}")[0].status == 400
    assert ask("GET", "/ping?r=1")[0].status == 200


def test_refuses_a_token_that_is_not_ours_and_leaves_an_expired_one_to_the_socket(ask, ada, token):
    assert ask("POST", "/v2/navi.json", form("forged"))[0].status == 401
    assert ask("POST", "/v2/navi.json", form(token[:-2]))[0].status == 401
    assert ask("GET", "/navi.js?callBack=x")[0].status == 401
    expired = tokens.issue(ada, now=timezone.now() - timedelta(days=2), lifetime=timedelta(days=1))
    assert ask("POST", "/v2/navi.json", form(expired))[0].status == 200


def test_bad_requests_cost_nothing_and_change_nothing(ask, gateway, token):
    for method, path, body, status in [
        ("GET", "/v2/navi.json", None, 405),
        ("POST", "/v2/navi.json", "", 401),
        ("POST", "/v2/navi.json", b"token=%ff", 401),
        ("POST", "/v2/navi.json", b"\xff", 400),
        ("POST", "/v2/navi.json", "&".join(f"a{n}=b" for n in range(50)), 401),
        ("POST", "/v2/navi.json", "x" * 9_000, 400),
        ("GET", "/v2/else.json", None, 404),
    ]:
        response, _ = ask(method, path, body)
        assert response.status == status, (method, path)
    bad_host, _ = ask("POST", "/v2/navi.json", form(token), Host="<b>")
    assert bad_host.status == 401
    gateway.gateway.requests.burst = 0
    assert ask("POST", "/v2/navi.json", form(token))[0].status in (200, 429)


def test_no_token_gets_into_a_log(ask, token, caplog):
    caplog.set_level("DEBUG")
    ask("POST", "/v2/navi.json", form(token))
    ask("GET", f"/navi.js?token={token}&callBack=x")
    assert token not in caplog.text
