"""What Python can do without a framework: WSGI and psycopg, one prepared statement for each call,
on the tables of `bench.reference`. It checks nothing, signs nothing and records nothing.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import psycopg

_REGISTER = """
WITH plan AS (SELECT app FROM plan WHERE app = 1),
     made AS (INSERT INTO person (app, user_id, name) SELECT app, %s, %s FROM plan RETURNING id)
INSERT INTO token (hash, person) SELECT %s, id FROM made RETURNING person
"""
_BAN = """
WITH marked AS (
    UPDATE person SET is_banned = true WHERE app = 1 AND user_id = %s RETURNING id
)
INSERT INTO ban (person, ends_at) SELECT id, now() + make_interval(mins => %s) FROM marked
ON CONFLICT (person) DO UPDATE SET ends_at = excluded.ends_at RETURNING ends_at
"""
_LIFT = """
WITH marked AS (
    UPDATE person SET is_banned = false WHERE app = 1 AND user_id = %s RETURNING id
)
DELETE FROM ban USING marked WHERE ban.person = marked.id RETURNING 1
"""
_held = threading.local()


def _rows(statement: str, *values: Any) -> list[Any]:
    if not hasattr(_held, "connection"):
        _held.connection = psycopg.connect(
            os.environ["BENCH_REFERENCE"], autocommit=True, prepare_threshold=1
        )
    rows: list[Any] = _held.connection.execute(statement, values).fetchall()
    return rows


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    given = dict(parse_qsl(body.decode()))
    answer: dict[str, Any] = {"code": 200}
    match environ["PATH_INFO"]:
        case "/register":
            token = secrets.token_urlsafe(32)
            _rows(_REGISTER, given["user"], given["name"], hashlib.sha256(token.encode()).digest())
            answer["token"] = token
        case "/ban":
            _rows(_BAN, given["user"], int(given["minutes"]))
        case "/lift":
            _rows(_LIFT, given["user"])
    content = json.dumps(answer).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response("200 OK", headers)
    return [content]
