"""Records of the log, as lines and as JSON."""

import json
import logging

import pytest

from applications import tracing
from rollcall.log_lines import Json, Line


@pytest.fixture
def record():
    tracing.begin("r-1")
    yield logging.getLogger("api.doors").makeRecord(
        "api.doors",
        logging.INFO,
        *("doors.py", 1, "call %s", ("in\nvain",), None),
        extra={"facts": {"who": "mia\nERROR forged", "status": 200, "message": "no"}},
    )
    tracing.end()


def test_a_line_is_one_line_whatever_callers_send(record):
    line = Line().format(record)
    assert line.endswith(r' who="mia\nERROR forged" status=200 message=no request=r-1')


def test_json_is_one_object_with_the_facts_beside_the_message(record):
    text = Json().format(record)
    assert "\n" not in text
    about = json.loads(text)
    assert about["at"].endswith("+00:00")
    assert (about["level"], about["logger"], about["message"]) == (
        "INFO",
        "api.doors",
        "call in\nvain",
    )
    assert (about["who"], about["status"], about["request"]) == ("mia\nERROR forged", 200, "r-1")
