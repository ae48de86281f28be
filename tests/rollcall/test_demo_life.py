"""The parts of the demo's play that a whole demo does not show within minutes."""

import pytest
from django.test import TestCase

from applications import announcements
from applications.models import Delivery, Webhook
from rollcall.demo import sample_data
from rollcall.demo.life import cast, chores, receiver
from tests.factories import NOON, make_environment
from transfers import imports
from transfers.models import ImportJob, ImportRow
from users.models import AppUser

pytestmark = pytest.mark.django_db


def test_nobody_plays_with_other_data():
    make_environment(kind="production")
    assert cast.choose() is None


@pytest.mark.usefixtures("at_noon", "local_webhooks")
class TestPlay(TestCase):
    @classmethod
    def setUpTestData(cls):
        sample_data.create(now=NOON)
        cls.cast = cast.choose()

    def test_the_same_people_play_each_time(self):
        assert self.cast == cast.choose()
        assert self.cast.banned not in self.cast.listeners

    def test_if_too_few_are_left_nobody_plays(self):
        AppUser.objects.filter(environment=self.cast.production).delete()
        assert cast.choose() is None

    def test_an_import_is_made_once_and_not_again_when_it_is_forgotten(self):
        key = chores._uploaded(self.cast.production, 10)
        assert chores._uploaded(self.cast.production, 10) == key
        while imports.run_batch(job_id=key, now=NOON):
            pass
        assert chores._confirmed(key)
        assert ImportJob.objects.get().state == ImportJob.State.RUNNING
        ImportRow.objects.all().delete()
        ImportJob.objects.all().delete()
        assert chores._uploaded(self.cast.production, 10) is None

    def test_a_cancelled_import_stays_cancelled(self):
        key = chores._uploaded(self.cast.production, 10)
        job = ImportJob.objects.get(pk=key)
        imports.cancel(job=job, by=receiver.staff(receiver.ADMIN), now=NOON)
        assert chores._confirmed(chores._uploaded(self.cast.production, 10))
        assert ImportJob.objects.get().state == ImportJob.State.CANCELLED

    def test_test_runs_leave_places_free(self):
        development = self.cast.development
        for _ in range(3):
            chores._register(development)
        assert AppUser.objects.filter(environment=development, user_id="ci-120000").exists()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chores, "LEFT_FREE", 99)
            before = AppUser.objects.count()
            AppUser.objects.filter(user_id="ci-120000").delete()
            chores._register(development)
        assert AppUser.objects.count() == before - 1

    def test_what_was_given_up_is_replayed_once(self):
        key = receiver._point_here(self.cast.production, 1)
        assert receiver._point_here(self.cast.production, 2) == key
        assert Webhook.objects.get().url.startswith("http://127.0.0.1:2/")
        receiver._replay(key)
        receiver._replay(key)
        lost, again = Delivery.objects.order_by("pk")
        assert (lost.state, again.state) == ("failed", "waiting")
        assert lost.message_id == again.message_id

    def test_an_endpoint_that_somebody_removed_is_not_put_back(self):
        receiver._point_here(self.cast.production, 1)
        by = receiver.staff(receiver.ADMIN)
        receiver.webhooks.remove(webhook=Webhook.objects.get(), by=by, now=NOON)
        assert receiver._point_here(self.cast.production, 1) is None


def test_the_receiver_answers_an_unlucky_message_well_the_second_time():
    unlucky = next(
        message
        for message in iter(announcements.new_message_id, None)
        if receiver._is_unlucky(message.encode())
    )
    refused: set[bytes] = set()
    assert receiver._status(unlucky.encode(), refused).startswith(b"503")
    assert receiver._status(unlucky.encode(), refused).startswith(b"204")
