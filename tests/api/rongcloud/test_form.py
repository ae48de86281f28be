"""Bodies are read as the standard library reads them."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.rongcloud import wire
from api.vendor import UnreadableBody


def read_slowly(body):
    found = {}
    for name, value in parse_qsl(body.decode(), errors="strict"):
        found.setdefault(name, []).append(value)
    return found


@given(st.text(alphabet="ab=&+;%20E3é\x00", max_size=30).map(str.encode))
@example(b"")
@example("a=%E4%BD%A0+你&a=&=b&a".encode())
@example(b"a=%FF")
@example(b"a=\xff")
def test_a_form_is_read_as_the_standard_library_does(body):
    try:
        expected = read_slowly(body)
    except UnicodeDecodeError:
        with pytest.raises(UnreadableBody):
            wire.form(body)
    else:
        assert dict(wire.form(body).lists()) == expected


def test_a_form_has_a_limited_number_of_parameters(settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2

    assert dict(wire.form(b"a=1&b=2").items()) == {"a": "1", "b": "2"}
    with pytest.raises(UnreadableBody, match="too many"):
        wire.form(b"a=1&b=2&c=3")
