"""Every number of every page is counted, or says that it is not."""

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
SAID = rf"(more than {BOUND}|about [0-9,.]+)"


@pytest.fixture
def shown(client, monkeypatch, time_machine):
    """The words of a page of an environment that is back on trial, with more of everything in it
    than a page counts.
    """
    time_machine.move_to(NOON, tick=False)
    for module in ("applications.counting", "console.overview.views", "users.presence"):
        monkeypatch.setattr(f"{module}.EXACT_UP_TO", BOUND)
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
        ("overview:index", [f"{SAID} of 100, full", f"{SAID} banned", f"{SAID} online"]),
        (
            "environment:index",
            [
                f"{SAID} of 100, full",
                f"Online now {SAID}",
                f"Banned {SAID}",
                f"Bans that end within 24 h {SAID}",
            ],
        ),
        ("quota:index", [f"{SAID} of 100, full"]),
        (
            "users:index",
            [
                f"All {SAID}",
                f"Never connected {SAID}",
                f"Online {SAID}",
                f"Banned {SAID}",
                f"(?i:{SAID}) users are registered, of 100 who may be",
            ],
        ),
        ("bans:index", [f"In force {SAID}", f"All {SAID}", "Lifted 0"]),
        ("connections:index", [f"(?i:{SAID}) connections are open"]),
    ],
)
def test_beyond_what_a_page_counts(shown, page, sentences):
    text = shown(page)
    assert [sentence for sentence in sentences if not re.search(sentence, text)] == []


def test_who_begin_with_a_prefix(shown):
    assert re.search(f"(?i:{SAID}) of them begin with user-", shown("users:index", q="user-"))
