"""Nexconn's envelope, as its strictest SDK takes it: exactly the modelled keys."""

DONE = (200, {"code": 0})


def result(answer):
    status, body = answer
    assert (status, body["code"], sorted(body)) == (200, 0, ["code", "result"])
    return body["result"]
