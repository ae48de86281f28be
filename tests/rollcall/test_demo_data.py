"""`manage.py demo_data`: an empty store becomes one with a past."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.test import TestCase

from applications.models import Application, AuditEvent, Member
from moderation import ban_sweep, last_day
from moderation.models import AllowlistSwitch, Ban
from rollcall.demo import sample_data
from tests import factories, stores
from tests.factories import NOON
from users import quota
from users.models import AppUser, DeactivatedUser, DeletionItem, DeletionJob, Place

pytestmark = pytest.mark.django_db


class TestStory(TestCase):
    """Told once, and looked at from all sides."""

    @classmethod
    def setUpTestData(cls):
        sample_data.create(now=NOON)
        cls.acme = Application.objects.get(name="Acme Chat")

    def test_shows_a_quota_that_fills(self):
        usage = quota.usage(environment=self.acme.environments.get(kind="development"), now=NOON)
        assert (usage.users.value, usage.free, usage.full_in_days) == (87, 13, 6)

    def test_shows_every_state(self):
        for environment in self.acme.environments.order_by("kind"):  # production last
            here = Ban.objects.filter(environment=environment)
            assert {"", "expired", "lifted"} <= set(here.values_list("outcome", flat=True))
            assert here.in_force(NOON).filter(expires_at=None).exists()
            assert DeactivatedUser.objects.filter(environment=environment).count() > 2
        production = environment
        assert here.filter(outcome="replaced").exists()
        registered = AppUser.objects.filter(environment=production).values("user_id")
        assert here.in_force(NOON).exclude(user_id__in=registered).exists()
        assert DeactivatedUser.objects.awaiting_erasure().count() == 1
        assert AllowlistSwitch.objects.exists()
        assert DeletionJob.objects.get().state == DeletionJob.State.DONE
        results = DeletionItem.objects.values_list("result", flat=True)
        assert set(results) == {"deleted", "gone", "another_life"}
        assert 2_400 < registered.count() < 2_600

    def test_leases_are_about_to_end_and_the_last_day_is_drawn(self):
        development, production = self.acme.environments.order_by("kind")
        due = Place.objects.filter(user__environment=development)
        assert due.filter(lease_until__lt=NOON + timedelta(minutes=15)).count() == 2
        assert not Place.objects.due(NOON).exists()
        day = last_day.read(environment=production, online_now=0, now=NOON)
        assert all(number for _, number in day.online[:-1])
        assert all(day.refusals.values())

    def test_a_ban_ends_in_each_environment_while_somebody_looks_and_none_is_overdue(self):
        assert ban_sweep.expire_due(now=NOON) == 0
        assert ban_sweep.expire_due(now=NOON + timedelta(minutes=2)) == 2

    def test_its_past_holds_together(self):
        assert not AuditEvent.objects.filter(at__gt=NOON + timedelta(seconds=2)).exists()
        assert not AppUser.objects.filter(registered_at__gt=NOON).exists()
        for user in AppUser.objects.exclude(last_seen_at=None):
            assert user.registered_at <= user.last_seen_at <= NOON
        moments = AuditEvent.objects.filter(application=self.acme).order_by("pk").values_list("at")
        assert list(moments) == sorted(moments)

    def test_the_same_moment_gives_the_same_data(self):
        def ids():
            return list(
                AppUser.objects.order_by("pk").values_list("user_id", "name", "registered_at")
            )

        first = ids()
        stores.delete_all_rows()
        sample_data.create(now=NOON)
        assert ids() == first


def test_signs_in_with_its_own_password(rf):
    call_command("demo_data")
    assert len(sample_data.password()) == 16
    assert authenticate(rf.post("/"), username="demo", password=sample_data.password()).is_superuser
    assert Member.objects.filter(account__username="demo").count() == 2


def test_leaves_a_store_alone_that_has_an_application(capsys):
    factories.make_application()
    call_command("demo_data")
    assert Application.objects.count() == 1
    assert capsys.readouterr().out == ""


def test_the_newest_things_are_of_now(at_noon):
    call_command("demo_data")
    assert AuditEvent.objects.latest("at").at > NOON - timedelta(minutes=5)
