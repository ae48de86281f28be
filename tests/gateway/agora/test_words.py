"""The vendor's codes, and the page that lists them."""

from django.conf import settings

from gateway.agora import words
from gateway.closings import Reason


def test_the_docs_list_every_reason_and_every_refusal():
    page = (settings.BASE_DIR / "docs" / "clients-agora.md").read_text()
    listed = [*Reason, *words.GATES]
    assert [each for each in listed if f"`{each}`" not in page] == []


def test_a_client_comes_back_by_itself_only_where_it_may():
    comes_back = set(Reason) - set(words.CLOSINGS) - set(words.LOGINS)
    assert comes_back == {
        Reason.RESTARTING,
        Reason.UNAVAILABLE,
        Reason.SLOW_READER,
        Reason.INTERNAL_ERROR,
    }
