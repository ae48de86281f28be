"""Users are found by id, by the beginning of the id, and by any part of the name; always soon."""

import pytest
from django.db import connection

from tests.factories import HOUR, NOON, make_environment, make_user, make_users
from users import search

pytestmark = pytest.mark.django_db


def found(environment, text, most=8):
    users = search.find(environment=environment, text=text, most=most)
    return [user.user_id for user in users.users]


@pytest.fixture
def people(environment):
    for user_id, name in (
        ("mia", "Mia Chen"),
        ("mia-2", ""),
        ("b.chen", "Ben Chen"),
        ("pct", "100% real_name"),
        ("noor", "نور الهدى"),
        ("wei", "王伟"),
        ("elif", "ÉLIF"),
    ):
        make_user(environment=environment, user_id=user_id, name=name)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("newest", [0, 1_000], ids=["by the index", "among the newest"])
class TestFind:
    @pytest.fixture(autouse=True)
    def _newest(self, monkeypatch, newest):
        monkeypatch.setattr(search, "NEWEST", newest)

    @pytest.mark.parametrize(
        ("text", "user_ids"),
        [
            ("mia", ["mia", "mia-2"]),
            ("MIA-", []),
            ("chen", ["b.chen", "mia"]),
            ("chen mia", ["mia"]),
            (" hen ", ["b.chen", "mia"]),
            ("real_n", ["pct"]),
            ("real%", []),
            ("100% real", ["pct"]),
        ],
    )
    def test_ids_then_names_with_every_word(self, environment, text, user_ids):
        assert sorted(found(environment, text)) == sorted(user_ids)
        assert found(environment, text)[:1] in ([], *([each] for each in user_ids))

    @pytest.mark.parametrize("text", ["%", "_", "\\", "'", "x" * 10_000, "", " ", "a\0b", "%_%_"])
    def test_text_that_is_no_name_finds_nobody(self, environment, text):
        assert found(environment, text) == []

    def test_only_users_of_this_environment(self, environment):
        assert found(make_environment(), "chen") == []

    def test_leaves_no_setting_behind(self, environment):
        found(environment, "chen")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('statement_timeout'), current_setting('enable_seqscan')"
            )
            assert cursor.fetchone() == ("0", "on")


@pytest.mark.usefixtures("people")
class TestShortAndForeign:
    @pytest.mark.parametrize(
        ("text", "user_ids"), [("mi", ["mia", "mia-2"]), ("王伟", ["wei"]), ("نور", ["noor"])]
    )
    def test_texts_are_found_among_the_newest(self, environment, text, user_ids):
        assert sorted(found(environment, text)) == sorted(user_ids)


def test_a_search_that_was_cut_off_says_so(environment, monkeypatch):
    make_users(environment=environment, count=5)
    assert not search.find(environment=environment, text="user-", most=3).complete
    assert search.find(environment=environment, text="user-", most=5).complete
    monkeypatch.setattr(search, "NEWEST", 1)
    monkeypatch.setattr(search, "_BY_INDEX", "SELECT pg_sleep(9), %s, %s -- {names}")
    result = search.find(environment=environment, text="nobody", most=3)
    assert (result.users, result.complete) == ([], False)


def test_the_newest_come_first(environment):
    for number in range(3):
        make_user(
            environment=environment,
            user_id=f"u{number}",
            name="Same Name",
            registered_at=NOON + number * HOUR,
        )
    assert found(environment, "same", most=2) == ["u2", "u1"]
