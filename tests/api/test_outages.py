"""A lost database is a 503 in the vendor's format."""

import logging

import pytest

from api import doors
from tests.api.agora.calls import Agora
from tests.api.callers import Nexconn, RongCloud

CALLS = {
    RongCloud: (("checkOnline",), {"userId": "ann"}),
    Nexconn: (("user/connection-status/get",), {"userId": "ann"}),
    Agora: (("GET", "mutes"), {}),
}


@pytest.mark.parametrize(
    ("caller", "key", "code"),
    [(RongCloud, "code", 1000), (Nexconn, "code", 1000), (Agora, "error", "service_unavailable")],
)
def test_a_lost_database_is_a_503(caller, key, code, environment, at_noon, lose_database, caplog):
    call, (names, parameters) = caller(environment), CALLS[caller]
    assert call(*names, **parameters)[0] == 200
    lose_database()

    with caplog.at_level(logging.ERROR, logger=doors.__name__):
        status, answer = call(*names, **parameters)

    assert (status, answer[key]) == (503, code)
    [line] = [
        record
        for record in caplog.records
        if (record.name, record.levelno) == (doors.__name__, logging.ERROR)
    ]
    assert "no database" in line.getMessage()
    assert line.exc_info is None
