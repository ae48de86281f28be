"""Users by id, by the beginning of the id, and by any part of the name, for ten million users.

Invariants
----------
* No search costs much more than `PATIENCE`, whatever is typed. A search that was cut off says so.
* Names are looked for among the `NEWEST` users first: a part that many names have is found there.
  Only a part that few names have goes to the trigram index, which is quick for those.
* Each word of the text may be anywhere in the name. A text without three letters in a row has no
  trigram: its first word is looked for at the beginning of names.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction

from applications.models import Environment
from users import identity
from users.models import NAME_MAX_LENGTH, AppUser

PATIENCE = timedelta(milliseconds=70)
NEWEST = 10_000
MOST_WORDS = 6
_RUN = re.compile(r"[^\W_]+")  # letters and digits, of any script
_AMONG_NEWEST = """
SELECT id FROM (
    SELECT id, name FROM users_appuser WHERE environment_id = %s
     ORDER BY registered_at DESC, id DESC LIMIT %s
) AS newest WHERE {names} LIMIT %s
"""
_BY_INDEX = """
SELECT id FROM users_appuser WHERE {names} AND name <> '' AND environment_id = %s LIMIT %s
"""
# Until the end of the transaction. For the limit's sake the planner would take another index, and
# read the whole environment where names with the text are rarer than it guesses. Whether these
# characters have trigrams depends on the database's locale; without any the whole index is read.
_BOUNDED = """
SELECT set_config('statement_timeout', %s, true), set_config('enable_seqscan', 'off', true),
       set_config('enable_indexscan', 'off', true),
       (SELECT bool_and(cardinality(show_trgm(each)) > 0) FROM regexp_split_to_table(%s, '') each)
"""


@dataclass(frozen=True)
class Found:
    """Users, best first. Not `complete`: there may be more, or some that were not looked at."""

    users: list[AppUser]
    complete: bool = True


def find(*, environment: Environment, text: str, most: int) -> Found:
    """At most `most` users: the exact id, then ids that begin with the text, then names with it."""
    text = text.strip()
    by_id = _by_id(environment, text, most + 1)
    if len(by_id) > most or not text or len(text) > NAME_MAX_LENGTH or not text.isprintable():
        return Found(by_id[:most], len(by_id) <= most)
    keys, complete = _by_name(environment, text, most + 1)
    named = AppUser.objects.in_bulk([key for key in keys if key not in {each.pk for each in by_id}])
    users = [*by_id, *(named[key] for key in keys if key in named)]
    return Found(users[:most], complete and len(users) <= most)


def _by_id(environment: Environment, text: str, most: int) -> list[AppUser]:
    """In the order of their ids, so the exact id is the first."""
    if not identity.is_prefix(text):
        return []
    users = AppUser.objects.in_environment(environment).with_prefix(text)
    return list(users.order_by("user_id")[:most])


def _by_name(environment: Environment, text: str, most: int) -> tuple[list[int], bool]:
    """Keys of users whose names have all words of the text, and whether nothing was cut off."""
    words = text.split()[:MOST_WORDS]
    longest = max(_RUN.findall(" ".join(words)), key=len, default="")
    patterns = [f"%{_literal(word)}%" for word in words]
    if len(longest) < 3:
        patterns[0] = patterns[0].removeprefix("%")
    names = " AND ".join(["upper(name) LIKE upper(%s)"] * len(patterns))
    newest = _AMONG_NEWEST.format(names=names), [environment.pk, NEWEST, *patterns, most]
    by_index = _BY_INDEX.format(names=names), [*patterns, environment.pk, most]
    with connection.cursor() as cursor:
        keys = _keys(cursor, *newest)
        if len(keys) == most or not _has_older(environment):
            return keys, True
        try:
            with transaction.atomic():
                milliseconds = PATIENCE // timedelta(milliseconds=1)
                cursor.execute(_BOUNDED, [str(milliseconds), longest])
                *_, has_trigrams = cursor.fetchone()
                older = _keys(cursor, *by_index) if has_trigrams else []
                transaction.set_rollback(True)  # which ends these settings, also in a transaction
        except OperationalError:  # it took too long
            return keys, False
    return list(dict.fromkeys([*keys, *older]))[:most], bool(has_trigrams)


def _has_older(environment: Environment) -> bool:
    """Whether there are users beyond the newest."""
    users = AppUser.objects.in_environment(environment).order_by("-registered_at", "-pk")
    return bool(users.values_list("pk")[NEWEST : NEWEST + 1])


def _literal(word: str) -> str:
    """The word, in a pattern of LIKE."""
    return re.sub(r"([%_\\])", r"\\\1", word)


def _keys(cursor: Any, statement: str, values: list[Any]) -> list[int]:
    cursor.execute(statement, values)
    return [key for (key,) in cursor.fetchall()]
