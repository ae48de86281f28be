"""Every number on a page is exact, or says that it is an estimate."""

import re

import pytest
from django.urls import reverse

from applications.models import Plan
from tests.console.pages import address, sign_in
from tests.factories import (
    DAY,
    NOON,
    make_ban,
    make_connection,
    make_environment,
    make_gateway,
    make_users,
)

pytestmark = pytest.mark.django_db

BOUND = 110
ESTIMATE = rf"(more than {BOUND}|about [0-9,.]+)"


@pytest.fixture
def shown(client, monkeypatch, time_machine):
    """The text of a page. The environment is back on trial, and has more of everything than a page
    counts.
    """
    time_machine.move_to(NOON, tick=False)
    for module in ("applications.counting", "console.overview.views", "users.presence"):
        monkeypatch.setattr(f"{module}.EXACT_UP_TO", BOUND)
    monkeypatch.setattr("applications.counting.LOOKED_UP_UP_TO", BOUND)
    environment = make_environment(kind="production", plan=Plan.TRIAL)
    sign_in(client, environment)
    gateway = make_gateway()
    for user in make_users(environment=environment, count=BOUND + 9):
        here = {"environment": environment, "user_id": user.user_id}
        make_connection(gateway=gateway, **here)
        make_ban(expires_at=NOON + DAY / 2, **here)

    def shown(name, **query):
        url = reverse(name) if name == "overview:index" else address(name, environment)
        text = re.sub(r"<[^>]*>", " ", client.get(url, query).text)
        return re.sub(r"\s+", " ", text)

    return shown


@pytest.mark.parametrize(
    ("page", "sentences"),
    [
        (
            "overview:index",
            [f"{ESTIMATE} of 100, full", f"{ESTIMATE} banned", f"{ESTIMATE} online"],
        ),
        (
            "environment:index",
            [
                f"{ESTIMATE} of 100, full",
                f"Online now {ESTIMATE}",
                f"Banned {ESTIMATE}",
                f"Bans that end within 24 h {ESTIMATE}",
            ],
        ),
        ("quota:index", [f"{ESTIMATE} of 100, full"]),
        (
            "users:index",
            [
                f"All {ESTIMATE}",
                f"Never connected {ESTIMATE}",
                f"Online {ESTIMATE}",
                f"Banned {ESTIMATE}",
                f"(?i:{ESTIMATE}) users are registered. The limit is 100",
            ],
        ),
        ("bans:index", [f"In force {ESTIMATE}", f"All {ESTIMATE}", "Lifted 0"]),
        ("connections:index", [f"(?i:{ESTIMATE}) connections are open"]),
    ],
)
def test_beyond_what_a_page_counts(shown, page, sentences):
    text = shown(page)
    assert [sentence for sentence in sentences if not re.search(sentence, text)] == []


def test_users_with_a_prefix(shown):
    sentence = f"(?i:{ESTIMATE}) users are registered with an id that begins with user-"
    assert re.search(sentence, shown("users:index", q="user-"))
