"""The page says how long records are kept, what is there, and what goes next."""

import pytest

from applications.models import Delivery, Environment
from tests.console.pages import address
from tests.factories import DAY, NOON, make_delivery, make_webhook

pytestmark = pytest.mark.django_db


def test_says_what_goes_and_when(client, member, environment, at_noon):
    webhook = make_webhook(environment=environment)
    for age in (31 * DAY, 2 * DAY):
        at = NOON - age
        make_delivery(webhook=webhook, state=Delivery.State.DELIVERED, finished_at=at, queued_at=at)
    kept = client.get(address("settings:retention", environment)).context["kept"]
    [deliveries] = [each for each in kept if each.label == "Deliveries of webhooks"]
    assert (str(deliveries.number), str(deliveries.due)) == ("2", "1")
    assert deliveries.goes_at == NOON - DAY


def test_saves_what_is_allowed_and_says_why_not(client, member, environment):
    page = address("settings:change_retention", environment)
    spans = {"keep_audit": 90, "keep_bans": "", "keep_tombstones": "", "keep_deliveries": 7}
    data = {"keep_requests_amount": "12", "keep_requests_unit": "hours"}
    for name, days in spans.items():
        data |= {f"{name}_amount": str(days), f"{name}_unit": "days"}
    answer = client.post(page, data | {"keep_audit_amount": "1"})
    assert answer.status_code == 422
    assert "At least 30 days and at most ten years" in answer.text
    assert client.post(page, data).status_code == 302
    saved = Environment.objects.get(pk=environment.pk)
    assert (saved.keep_audit, saved.keep_bans, saved.keep_deliveries) == (90 * DAY, None, 7 * DAY)
