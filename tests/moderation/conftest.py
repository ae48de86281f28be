import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from tests.waiting import PATIENCE
from users import identity


@pytest.fixture
def lock_elsewhere():
    """Another transaction holds these ids while the block runs."""

    @contextmanager
    def lock(environment, user_ids):
        held, done = threading.Event(), threading.Event()

        def hold():
            try:
                with transaction.atomic():
                    identity.lock(environment, user_ids)
                    held.set()
                    done.wait(PATIENCE)
            finally:
                connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(PATIENCE)
        try:
            yield
        finally:
            done.set()
            holder.join(PATIENCE)

    return lock
