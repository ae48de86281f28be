"""Members who are signed in. A test without one of these fixtures is not signed in."""

import pytest

from applications.models import Role
from tests.console.pages import sign_in


@pytest.fixture
def member(client, environment):
    """The account of an owner of the environment's application, signed in."""
    return sign_in(client, environment)


@pytest.fixture
def moderator(client, environment):
    """The account of a moderator, who may ban, lift and kick, signed in."""
    return sign_in(client, environment, Role.MODERATOR)
