"""What stands in the environment, read as what it is to be."""

import pytest

from rollcall.variables import Variables, folder, url


@pytest.fixture
def env(monkeypatch):
    def _env(value):
        monkeypatch.setenv("THING", value)
        return Variables()

    return _env


class TestVariables:
    def test_empty_counts_as_not_set(self, env):
        assert env("").number("THING", 7) == 7
        assert env("").text("THING", "x") == "x"
        assert env(" , ").words("THING", ["x"]) == ["x"]

    def test_reads_each_kind(self, env):
        assert env(" 8 ").number("THING", 7) == 8
        assert env("a, b,").words("THING", []) == ["a", "b"]
        for text, value in (("Yes", True), ("1", True), ("off", False), ("FALSE", False)):
            assert env(text).flag("THING", not value) is value

    def test_a_secret_may_begin_with_a_dollar_sign(self, env):
        assert env("$HOME").text("THING", "x") == "$HOME"

    @pytest.mark.parametrize("text", ["0", "-1", "65536", "1.5", "eight"])
    def test_notes_numbers_out_of_bounds(self, env, text):
        variables = env(text)
        assert variables.number("THING", 7, most=65_535) == 7
        assert variables.malformed == {"THING": "a whole number from 1 to 65535"}

    @pytest.mark.parametrize(
        ("parse", "text"),
        [
            (url("redis"), "rediss://host"),
            (url("redis"), "redis:"),
            (url("postgres"), "postgres://host:port/name"),
            (url("postgres"), "postgres://one:5432,two:5432/name"),
            (url("postgres", several=True), "postgres://one:5432,two:port/name"),
            (folder, "/dev/null/folder"),
        ],
    )
    def test_notes_what_cannot_be_parsed(self, env, parse, text):
        variables = env(text)
        assert variables.parsed("THING", None, parse, "such a thing") is None
        assert variables.malformed == {"THING": "such a thing"}

    def test_a_url_may_have_several_hosts_where_they_are_expected(self, env):
        text = "postgres://me:se,cret@one:5432,two:5433/name"
        assert env(text).parsed("THING", None, url("postgres", several=True), "a URL") == text
