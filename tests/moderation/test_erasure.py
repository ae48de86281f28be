"""Law 9 for this storey: what moderation keeps of a user goes when the user is deleted, in the same
transaction, and deletion knows nothing of it. (`tests/users/test_personal_data.py` says what goes
and what stays.)
"""

import pytest

from moderation import erasure
from moderation.models import Ban
from tests.factories import NOON, make_ban, make_environment, make_user, staff_actor
from users import deletion
from users.erasure import erasing
from users.models import AppUser

pytestmark = pytest.mark.django_db


def test_this_storey_listens():
    receivers = [each[1]() for each in erasing.receivers]
    assert erasure.erase in receivers


def test_bans_and_user_go_together_or_stay_together(monkeypatch):
    environment = make_environment()
    make_user(environment=environment, user_id="ada")
    make_ban(environment=environment, user_id="ada")

    def fail(*_, **__):
        raise OSError

    # The last thing that deletion does.
    monkeypatch.setattr(deletion.audit, "record_many", fail)
    with pytest.raises(OSError):  # noqa: PT011 - any, as long as it comes through
        deletion.delete(environment=environment, user_ids=["ada"], by=staff_actor(), now=NOON)
    assert Ban.objects.exists()
    assert AppUser.objects.filter(user_id="ada").exists()
