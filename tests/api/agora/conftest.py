"""Fixtures for tests of Agora Chat's door."""

import pytest

from tests.api.agora.calls import Agora


@pytest.fixture
def agora(environment, at_noon):
    return Agora(environment)


@pytest.fixture
def live(production, at_noon):
    """A client for a production environment."""
    return Agora(production)
