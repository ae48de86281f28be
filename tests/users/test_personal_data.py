"""Laws 9 and 11: whatever names a user goes with them, or stays for a reason. Rows are made for
every column of the whole house that holds a user id, so a table added tomorrow is asked too.
"""

import pytest
from django.apps import apps
from django.db import models

from applications.models import Environment
from tests.factories import NOON, api_actor, make_environment, make_user, staff_actor
from users import deactivation, deletion
from users.fields import UserIdField
from users.models import (
    AppUser,
    Connection,
    DeactivatedUser,
    DeletedUser,
    DeletionItem,
    KickReport,
)

pytestmark = pytest.mark.django_db

# The user, the tombstone, what a job tells of itself, the encrypted document for an undo,
# connections until they are closed, and which gateway closed them: a proof, as the audit trail is.
NOT_PERSONAL_DATA = {AppUser, DeactivatedUser, DeletedUser, DeletionItem, Connection, KickReport}


def columns():
    return [
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, UserIdField) and model not in NOT_PERSONAL_DATA
    ]


def some_value(field, environment, text):
    if field.related_model is Environment:
        return environment
    if isinstance(field, UserIdField):
        return "other"
    if isinstance(field, models.DateTimeField):
        return NOON
    if isinstance(field, models.IntegerField):
        return 1
    return field.choices[0][0] if field.choices else text


def make_rows_naming(user_id, environment):
    for model, column in columns():
        values = {
            field.name: some_value(field, environment, text=user_id)
            for field in model._meta.fields
            if not (field.primary_key or field.null or field.blank or field.has_default())
            and not field.generated
        }
        model._base_manager.create(**values | {column: user_id})


def naming(user_id, environment):
    return {
        f"{model.__name__}.{column}"
        for model, column in columns()
        if model._base_manager.filter(environment=environment, **{column: user_id}).exists()
    }


@pytest.fixture
def environment():
    environment = make_environment()
    make_user(environment=environment, user_id="ada")
    make_rows_naming("ada", environment)
    return environment


def test_a_deleted_user_is_named_nowhere(environment):
    assert len(naming("ada", environment)) == len(columns())
    elsewhere = make_environment()
    make_rows_naming("ada", elsewhere)
    make_rows_naming("bob", environment)
    deletion.delete(environment=environment, user_ids=["ada"], by=staff_actor(), now=NOON)
    assert naming("ada", environment) == set()
    assert len(naming("ada", elsewhere)) == len(columns())
    assert len(naming("bob", environment)) == len(columns())


def test_of_a_deactivated_user_stays_what_others_made_to_hold_them_off_or_call_them(environment):
    """All at once but messages, which nobody is given any more, and which a worker erases."""
    deactivation.deactivate(environment=environment, user_ids=["ada"], by=api_actor(), now=NOON)
    stays = {
        "Ban.user_id",
        "Mute.user_id",
        "BlocklistEntry.listed_id",
        "AllowlistEntry.listed_id",
        "Remark.about_id",
    }
    assert naming("ada", environment) == stays | {"Message.sender_id", "Message.recipient_id"}
    deactivation.erase_pending(now=NOON)
    assert naming("ada", environment) == stays
