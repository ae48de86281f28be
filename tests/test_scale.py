"""docs/scale.md says of each table and each unique key how it would be spread."""

from django.apps import apps
from django.conf import settings
from django.db.models import UniqueConstraint

TEXT = (settings.BASE_DIR / "docs/scale.md").read_text()
IN_CODE = ("applications", "users", "moderation", "transfers")
# Of reference tables, which are copied to every node: their keys stay.
STAYING = {
    "applications_environment_one_of_each_kind",
    "applications_member_once_per_application",
    "users_leaserule_once",
}


def test_every_table_and_every_unique_key_is_named():
    models = [model for name in IN_CODE for model in apps.get_app_config(name).get_models()]
    named = {model._meta.db_table for model in models} | {
        key.name
        for model in models
        for key in model._meta.constraints
        if isinstance(key, UniqueConstraint)
    }
    assert {name for name in named - STAYING if f"`{name}`" not in TEXT} == set()
