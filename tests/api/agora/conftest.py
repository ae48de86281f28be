"""What tests of Agora Chat's door can ask for."""

import pytest

from tests.api.agora.calls import Agora


@pytest.fixture
def agora(environment, at_noon):
    return Agora(environment)


@pytest.fixture
def live(production, at_noon):
    """The same in production."""
    return Agora(production)
