"""One request id is found in the log of every process that works on the request."""

import json
import logging

import pytest
from django.conf import settings as project

from rollcall.processes import WORKER, Supervisor, module
from tests.api.callers import RongCloud
from tests.factories import make_webhook
from tests.receiver import receiving
from tests.stores import url_of_test_database
from tests.waiting import eventually

ID = "r-4711"


@pytest.mark.usefixtures("local_webhooks")
def test_from_the_call_to_worker_webhook_and_gateway(
    ada, clients, gateway, tmp_path, monkeypatch, caplog
):
    for name, value in {
        "DATABASE_URL": url_of_test_database(),
        "DJANGO_SETTINGS_MODULE": "rollcall.settings",
        "PYTHONPATH": str(project.BASE_DIR),
        "WEBHOOKS_MAY_BE_LOCAL": "true",
        "LOG_FORMAT": "json",
    }.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.INFO)
    log = tmp_path / "worker.log"
    client = clients.enter(ada)
    assert eventually(lambda: gateway.is_listening)
    with receiving() as receiver, Supervisor(folder=tmp_path) as supervisor:
        make_webhook(environment=ada.environment, url=receiver.url, events=["user.banned"])
        caller = RongCloud(ada.environment)
        caller.headers["X-Request-ID"] = ID
        assert caller("block", userId="ada", minute=5)[0] == 200
        assert client.closed() == (4010, "banned")
        supervisor.start(module("worker", WORKER), log=log)
        assert eventually(lambda: receiver.received), log.read_text()
        assert eventually(lambda: log.read_text().count(f'"request": "{ID}"') >= 3), log.read_text()
    worker = [json.loads(line) for line in log.read_text().splitlines() if ID in line]
    [delivery] = [line for line in worker if line["message"] == "delivery"]
    assert (delivery["event"], delivery["status"]) == ("user.banned", 204)
    assert delivery["application"] == ada.environment.application.org_name
    tasks = {line["task"] for line in worker if line["message"] == "task"}
    assert tasks == {"applications.send_deliveries", "applications.send_to_endpoint"}
    [call] = [record for record in caplog.records if record.name == "api.doors"]
    assert call.facts["request"] == ID
    [kick] = [record for record in caplog.records if record.getMessage() == "kicked"]
    assert kick.facts["request"] == ID
