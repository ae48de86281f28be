"""Seals over the audit trail."""

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Value


class AuditSeal(models.Model):
    """A seal over some lines of the audit trail; see `applications.audit_seals`. Never changed."""

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    lines = models.IntegerField()
    # The ids of its lines, as PostgreSQL writes an int8multirange: {[1,58),[60,62)}.
    ids = models.TextField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    # One hash for each line, in the order of their ids.
    line_hashes = models.BinaryField()
    # The greatest id in this seal and all before it.
    through_id = models.BigIntegerField()
    # No line up to this id can be written any more; all are in this seal or in one before it.
    settled_id = models.BigIntegerField()
    # Every line in it was written after this moment; None: not known.
    settled_at = models.DateTimeField(null=True)
    # Numbers of transactions: all below had ended before its lines were read, and none from here on
    # had begun when it was made.
    oldest_transaction = models.BigIntegerField()
    next_transaction = models.BigIntegerField()
    # Which of `ENCRYPTION_KEYS` has made it.
    key_hint = models.CharField(max_length=8)
    # The `seal` of the seal before; empty in the first one.
    previous = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    class Meta:
        indexes = [
            # Which seal holds a line? Which seals hold lines in a range of ids?
            GistIndex(
                Func(F("first_id"), F("last_id"), Value("[]"), function="int8range"),
                name="audit_seals_of_lines",
            ),
        ]

    def __str__(self) -> str:
        return f"Seal {self.number}"
