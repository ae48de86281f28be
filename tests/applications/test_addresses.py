"""Whose address it is, from what sockets and proxies say."""

import pytest

from applications.addresses import client_address
from gateway.app import client_address as of_scope
from tests.generated import given, st


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "192.0.2.66", "127.0.0.1"),  # no proxy of ours: anybody could have written it
        (1, "192.0.2.66, 192.0.2.1", "192.0.2.1"),
        (2, "192.0.2.66, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.1", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "192.0.2.1:5678", "192.0.2.1"),
        (1, "[2001:db8::1]:99", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "192.0.2.66, unknown", None),
        (1, "[]:1", None),
        (1, "192.0.2.1:port", None),
        (1, "'; drop table", None),
    ],
)
class TestAddress:
    def test_is_what_the_last_proxy_of_ours_saw(self, proxies, forwarded, address):
        found = client_address(peer="127.0.0.1", forwarded_for=forwarded, trusted_proxies=proxies)
        assert found == address

    def test_is_the_same_for_a_web_socket(self, settings, proxies, forwarded, address):
        settings.TRUSTED_PROXIES = proxies
        headers = [(b"x-forwarded-for", each.encode()) for each in forwarded.split(", ") if each]
        assert of_scope({"client": ("127.0.0.1", 1), "headers": headers}) == address


@given(st.text())
def test_any_header_and_any_peer_give_an_address_or_none(text):
    client_address(peer=text, forwarded_for=text, trusted_proxies=1)
