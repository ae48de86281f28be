"""Rotation of `ENCRYPTION_KEYS`: what is stored under an older key is stored anew under the first.

Invariants
----------
* Every column of `CiphertextField` takes part, and what django-allauth keeps of second factors.
* It may run beside everything else, be stopped anywhere and be repeated: a text is replaced in a
  statement of its own, and only if it is still the one that was read. What is current is skipped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from applications import vault
from applications.fields import CiphertextField

AT_ONCE = 500  # rows


@dataclass(frozen=True)
class Column:
    """A column of ciphertexts; or of JSON, of which `member` is a ciphertext."""

    model: type[Model]
    name: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.model._meta.verbose_name}, {(self.member or self.name).replace('_', ' ')}"

    @property
    def lookup(self) -> str:
        return f"{self.name}__{self.member}" if self.member else self.name

    def rows(self) -> "QuerySet[Any]":
        rows = self.model._default_manager.order_by("pk")
        if self.member:
            return rows.filter(**{f"{self.name}__has_key": self.member})
        return rows.exclude(**{self.name: ""})

    def replace(self, key: object, old: str, new: str) -> int:
        """1, or 0 if the text is not `old` any more."""
        row = self.model._default_manager.filter(pk=key, **{self.lookup: old})
        if not self.member:
            return row.update(**{self.name: new})
        path, text = Value(f"{{{self.member}}}"), Value(new, output_field=JSONField())
        changed = Func(
            F(self.name), Cast(path, ArrayField(TextField())), text, function="jsonb_set"
        )
        return row.update(**{self.name: changed})


@dataclass
class Progress:
    """Counts of texts: all, read so far, encrypted anew, and those that no key of ours decrypts."""

    column: Column
    total: int
    read: int = 0
    renewed: int = 0
    unreadable: int = 0


def columns() -> list[Column]:
    return [
        Column(model, field.attname)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, CiphertextField)
    ] + [
        Column(apps.get_model("mfa", "authenticator"), "data", member)
        for member in ("secret", "seed")
        if apps.is_installed("allauth.mfa")
    ]


def renew(column: Column) -> Iterator[Progress]:
    """Yields after each batch, and at least once."""
    rows = column.rows()
    progress = Progress(column, total=rows.count())
    last = None
    while True:
        batch = rows if last is None else rows.filter(pk__gt=last)
        found = list(batch.values_list("pk", column.lookup)[:AT_ONCE])
        for key, ciphertext in found:
            _renew_one(progress, key, ciphertext)
        yield progress
        if len(found) < AT_ONCE:
            return
        last = found[-1][0]


def _renew_one(progress: Progress, key: object, ciphertext: str) -> None:
    progress.read += 1
    if vault.is_current(ciphertext):
        return
    try:
        text = vault.renewed(ciphertext)
    except InvalidToken:
        progress.unreadable += 1
        return
    progress.renewed += progress.column.replace(key, ciphertext, text)


def is_readable(column: Column) -> bool:
    """Whether our keys decrypt the oldest and the newest text: a quick look, for checks."""
    for order in ("pk", "-pk"):
        ciphertext = column.rows().order_by(order).values_list(column.lookup, flat=True).first()
        try:
            if ciphertext is not None:
                vault.decrypt_once(ciphertext)
        except InvalidToken:
            return False
    return True
