"""`pytest -p tests.embedded_pg`: the suite on the stores of production, with nothing installed.

Starts PostgreSQL and Redis from wheels before settings are read, and removes both at the end.
`DATABASE_URL` or `REDIS_URL`, where set, is used instead.
"""

import os

from tests import embedded_postgres, embedded_redis

os.environ["DATABASE_URL"] = os.environ.get("DATABASE_URL") or embedded_postgres.start()
os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or embedded_redis.start()
