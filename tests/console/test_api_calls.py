"""The calls that do the same as an act of staff are sent, and do it."""

import json
import shlex
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.utils import timezone

from applications.vendors import Act, vendors
from console import api_calls
from console.components.vendors import api_calls as tag
from moderation.lists import blocklist
from moderation.models import Ban
from tests.api.callers import signed_headers
from tests.factories import make_user, secret_of

HOST = "https://rollcall.example"
# Those that have bans with an end.
TIMED = [
    vendor.name for vendor in vendors() if "minutes" in vendor.same_calls[Act.BAN].values.values()
]
ACTS = [(vendor.name, act) for vendor in vendors() for act in vendor.same_calls]


def send(client, environment, text):
    """Send the last command of the text as curl would."""
    command = text[text.index("\ncurl" if "\ncurl" in text else "curl") :]
    words = shlex.split(command.replace("\\\n", " "))
    url = next(word for word in words if word.startswith(HOST))
    pairs = [words[place + 1] for place, word in enumerate(words) if word == "--data-urlencode"]
    body = words[words.index("-d") + 1] if "-d" in words else ""
    method = words[words.index("-X") + 1] if "-X" in words else "POST"
    if "App-Key" in text:
        headers = signed_headers(environment)
    else:
        headers = {"Authorization": f"Bearer {app_token(client, environment)}"}
    return client.generic(
        method,
        urlsplit(url).path,
        urlencode([tuple(pair.split("=", 1)) for pair in pairs]) or body,
        content_type="application/x-www-form-urlencoded" if pairs else "application/json",
        headers=headers,
    )


def app_token(client, environment):
    path = f"/{environment.application.org_name}/{environment.kind}/token"
    credentials = {
        "grant_type": "client_credentials",
        "client_id": environment.app_key,
        "client_secret": secret_of(environment),
    }
    response = client.post(path, json.dumps(credentials), content_type="application/json")
    return response.json()["access_token"]


def sample_of(environment, vendor, act, **takes):
    given = {
        "user_id": "mia",
        "other_id": "ben",
        "minutes": 60,
        "name": "Mia",
        "avatar_url": "",
        "permission": 2,
        "milliseconds": int(timezone.now().timestamp() * 1000),
        **takes,
    }
    found = api_calls.samples(environment, act, host=HOST, takes=given)
    return next(sample.text for sample in found if sample.vendor == vendor)


@pytest.mark.parametrize(("vendor", "act"), ACTS)
def test_are_accepted(client, environment, vendor, act):
    for user_id in ("mia", "ben"):
        make_user(environment=environment, user_id=user_id)
    takes = {"user_id": "new"} if act == Act.REGISTER else {}
    response = send(client, environment, sample_of(environment, vendor, act, **takes))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("vendor", TIMED)
def test_do_the_same(client, environment, vendor):
    make_user(environment=environment, user_id="mia")
    send(client, environment, sample_of(environment, vendor, Act.BAN))
    ban = Ban.objects.in_force(timezone.now()).get(user_id="mia")
    assert timedelta(minutes=59) < ban.expires_at - timezone.now() <= timedelta(minutes=60)


@pytest.mark.parametrize("vendor", TIMED)
def test_name_several_where_the_act_did(client, environment, vendor):
    send(client, environment, sample_of(environment, vendor, Act.BLOCK, other_id=["ben", "cyd"]))
    assert blocklist.contains(environment=environment, owner_id="mia", listed_id="ben")
    assert blocklist.contains(environment=environment, owner_id="mia", listed_id="cyd")


def test_are_those_of_the_vendors_that_the_application_accepts(environment):
    [*_, last] = environment.application.vendors
    environment.application.vendors = [last]
    found = api_calls.samples(
        environment, Act.BAN, host=HOST, takes={"user_id": "mia", "minutes": 1}
    )
    assert [sample.vendor for sample in found] == [last]


def test_survive_a_shell(rf, environment):
    """No id can run a command on the machine of whoever pastes it."""
    context = {"request": rf.get("/"), "environment": environment}
    samples = tag(context, "ban", user_id="a'b;$(id)`id`", minutes=1)["samples"]
    for sample in samples:
        words = shlex.split(sample.text.replace("\\\n", " "))
        assert any("a'b;$(id)`id`" in word or "a%27b%3B%24%28id" in word for word in words)


@pytest.mark.parametrize(
    ("lasts", "minutes"),
    [
        (None, 43_200),
        (timedelta(seconds=5), 1),
        (timedelta(days=365), 43_200),
        (timedelta(1), 1440),
    ],
)
def test_state_a_bans_duration_within_the_vendors_bounds(lasts, minutes):
    assert api_calls.minutes(lasts) == minutes
