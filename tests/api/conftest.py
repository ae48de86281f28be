"""Fixtures for tests of the Server API."""

import pytest
from django.core.cache import cache

from api import ratelimit
from tests.api.callers import Nexconn, RongCloud
from tests.factories import make_environment


@pytest.fixture(autouse=True)
def fresh_rates(monkeypatch):
    """Resets the counters, and the pause after a lost Redis, before each test."""
    monkeypatch.setattr(ratelimit, "_paused_until", ratelimit._paused_until)
    cache.clear()


@pytest.fixture
def production(db):
    return make_environment(kind="production")


@pytest.fixture
def rongcloud(environment, at_noon):
    return RongCloud(environment)


@pytest.fixture
def nexconn(environment, at_noon):
    return Nexconn(environment)
