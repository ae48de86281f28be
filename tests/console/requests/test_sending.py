"""Calls that staff send from the page of a call, in development."""

import pytest

from applications.audit_types import AuditType
from applications.models import AuditEvent, Role
from moderation.models import Ban
from tests.console.pages import address, sign_in
from tests.factories import make_environment, make_user

pytestmark = pytest.mark.django_db
BLOCK = {
    "vendor": "rongcloud",
    "call": "user/block",
    "path": "/user/block.json",
    "body": "userId=mia&minute=30",
}
DEACTIVATE = {
    "vendor": "agora",
    "call": "POST users/<username>/deactivate",
    "path": "/{org}/development/users/mia/deactivate",
    "body": "",
}
BAN = {
    "vendor": "nexconn",
    "call": "user/ban",
    "path": "/v4/user/ban",
    "body": '{"userIds": ["mia"], "durationMinutes": 30}',
}


@pytest.mark.parametrize("call", [BLOCK, BAN, DEACTIVATE], ids=lambda call: call["vendor"])
def test_take_the_way_of_every_call(client, environment, call):
    account = sign_in(client, environment, Role.TESTER)
    make_user(environment=environment, user_id="mia")
    path = call["path"].replace("{org}", environment.application.org_name)
    response = client.post(address("requests:send", environment), {**call, "path": path})
    assert response.context["answer"].status == 200, response.text
    ban = Ban.objects.get(user_id="mia")
    assert ban.imposed_by == environment.app_key
    sent = AuditEvent.objects.get(type=AuditType.API_CALL_SENT)
    assert (sent.actor, sent.after) == (account.username, {"call": f"POST {path}"})


def test_are_refused_as_any_other(client, environment, member):
    call = {**BLOCK, "body": "userId=mia"}
    answer = client.post(address("requests:send", environment), call).context["answer"]
    assert answer.is_refused
    assert '"code"' in answer.body


def test_go_to_the_documented_path_only(client, environment, member):
    call = {**BLOCK, "path": "/user/unblock.json"}
    assert client.post(address("requests:send", environment), call).status_code == 409


def test_are_not_sent_in_production(client):
    environment = make_environment(kind="production")
    sign_in(client, environment)
    assert client.post(address("requests:send", environment), BLOCK).status_code == 409
    assert not Ban.objects.exists()
