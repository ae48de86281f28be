"""Files are read line by line, whatever is in them."""

import io
from itertools import repeat

import pytest

from transfers import files
from transfers.files import BadFile, Format


def read(content, name="users.csv"):
    content = content.encode() if isinstance(content, str) else content
    columns, records = files.read(io.BytesIO(content), name)
    return columns, list(records)


@pytest.mark.parametrize("format", Format)
def test_what_is_written_is_read_again_the_same(format):
    rows = [["=1", "mia, the “first”"], ["+cmd", "'=x"], ["-2", ""], ["@a", "ñ 你好 \u200f"]]
    content = files.head(format, ["user_id", "name"]) + files.rows(
        format, ["user_id", "name"], rows
    )
    _, records = read(content, f"users.{format}")
    assert [[each.values["user_id"], each.values["name"]] for each in records] == rows


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t")]
)
def test_what_spreadsheets_save_is_read(encoding, delimiter):
    content = f"user_id{delimiter}name\r\n\r\nmia{delimiter}Mía\r\n".encode(encoding)
    columns, records = read(content)
    assert columns == ["user_id", "name"]
    assert [(each.line, each.values) for each in records] == [
        (3, {"user_id": "mia", "name": "Mía"})
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'ben,"Ben', "A quotation mark is not closed"),
        (b"ben,Ben,Bush", "3 cells for 2 columns"),
        (b"ben,B\x00n", "contains NUL"),
        ("ben,Bén".encode("latin-1"), "not UTF-8"),
        (b"ben," + b"n" * 1_000_000, "longer than"),
    ],
)
def test_a_line_that_cannot_be_read_does_not_spoil_the_next(line, why):
    _, records = read(b"user_id,name\n" + line + b"\nada,Ada\n")
    assert why in records[0].problem
    assert (records[1].line, records[1].values["user_id"], records[1].problem) == (3, "ada", "")


@pytest.mark.parametrize(
    "line", ["[1]", '{"user_id": "\\u0000"}', '{"a": "\\ud800"}', "{", "[" * 9999]
)
def test_a_line_that_is_no_object_is_broken(line):
    _, records = read('{"user_id": "mia"}\n' + line, "users.jsonl")
    assert [bool(each.problem) for each in records] == [False, True]


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"PK\x03\x04...", "users.csv", "an Excel workbook"),
        (b"\x7fELF\x00\x00\x00", "users.csv", "not text"),
        ('{"user_id": "mia"}', "users.csv", "name it .jsonl"),
        ("user_id\nmia", "users.jsonl", "name it .csv"),
        ('[{"user_id": "mia"}]', "users.jsonl", "jq -c"),
        ("user_id\nmia", "users.xlsx", "Name the file .csv"),
        ("\n \n", "users.csv", "empty"),
        ("user_id,user_id\nmia,mia", "users.csv", "twice"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(content, name, why):
    with pytest.raises(BadFile, match=why):
        read(content, name)


def test_a_file_with_too_many_lines_is_refused(monkeypatch):
    monkeypatch.setattr(files, "MOST_LINES", 3)
    with pytest.raises(BadFile, match="more than 3 lines"):
        read("\n".join(["user_id", *repeat("mia", 3)]))
