"""Queries whose SQL is composed once."""

from datetime import timedelta

import pytest
from django.forms.models import model_to_dict

from applications import environments
from applications.compiled import Compiled
from applications.models import AppSecret
from tests.factories import NOON, make_environment, staff_actor

pytestmark = pytest.mark.django_db

for_app_key = Compiled(AppSecret.objects.for_app_key, "app key")


def told(secret):
    """All that the row says, and the rows that come with it."""
    environment = secret.environment
    return [model_to_dict(each) for each in (secret, environment, environment.application)]


class TestCompiled:
    def test_reads_what_the_queryset_reads(self):
        environment = make_environment(
            token_lifetime=timedelta(days=1), vendor_settings={"a": {"b": 1}}
        )
        make_environment()
        environments.add_secret(environment=environment, by=staff_actor(), now=NOON)
        key = environment.app_key
        read = for_app_key(key)
        assert [told(secret) for secret in read] == [
            told(secret) for secret in AppSecret.objects.for_app_key(key)
        ]
        assert [secret.created_at for secret in read][1:] == [NOON]
        assert for_app_key("unknown") == []

    def test_sees_what_has_changed_since(self, django_assert_num_queries):
        environment = make_environment()
        for_app_key(environment.app_key)
        new = environments.add_secret(environment=environment, by=staff_actor(), now=NOON)
        with django_assert_num_queries(1):
            assert new.secret in for_app_key(environment.app_key)

    def test_takes_a_value_as_a_value(self):
        make_environment()
        assert for_app_key("' OR '' = '") == []
        assert for_app_key("app key") == []

    def test_takes_as_many_values_as_the_query_has(self):
        with pytest.raises(ValueError, match="zip"):
            for_app_key("one", "two")
