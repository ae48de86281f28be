"""Secrets and owners under fire, on a real PostgreSQL."""

from functools import partial

import pytest

from applications import app_secrets, members
from applications.app_secrets import LastSecret, TooManySecrets
from applications.members import LastOwner
from applications.models import Member, Role
from tests.factories import NOON, make_application, make_environment, make_member, staff_actor
from tests.races.racing import only, race

pytestmark = pytest.mark.django_db(transaction=True)

AT = {"by": staff_actor("grace"), "now": NOON}


def test_secrets_added_at_once_are_never_more_than_two():
    environment = make_environment()
    add = partial(app_secrets.add, environment=environment, **AT)
    assert len(only(TooManySecrets, race(*[add] * 8))) == 1
    assert environment.secrets.live().count() == 2


def test_secrets_revoked_at_once_leave_one():
    for _ in range(10):
        environment = make_environment()
        app_secrets.add(environment=environment, **AT)
        revoke = partial(app_secrets.revoke, environment=environment, **AT)
        only(
            LastSecret,
            race(*(partial(revoke, secret_id=each.pk) for each in environment.secrets.live())),
        )
        assert environment.secrets.live().count() == 1


def test_of_owners_who_leave_at_once_one_must_stay():
    for _ in range(10):
        application = make_application()
        owners = [make_member(application=application, role=Role.OWNER) for _ in range(4)]
        answers = race(
            *(
                partial(members.remove, application=application, member_id=owner.pk, **AT)
                for owner in owners[:2]
            ),
            *(
                partial(
                    members.change_role,
                    application=application,
                    member_id=owner.pk,
                    role=Role.ADMIN,
                    **AT,
                )
                for owner in owners[2:]
            ),
        )
        assert len(only(LastOwner, answers)) == 3
        assert Member.objects.filter(application=application, role=Role.OWNER).count() == 1
