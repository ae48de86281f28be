"""A page of plain rows has what a page of models has."""

import pytest

from applications.keyset import BadCursor, Keyset
from applications.plain_pages import PlainPages
from moderation.models import BlocklistEntry
from tests.factories import DAY, NOON, make_environment

pytestmark = pytest.mark.django_db

COLUMNS = ("id", "listed_id", "added_at")


@pytest.mark.parametrize("order", [["id"], ["-id"], ["added_at", "id"], ["-added_at", "-id"]])
def test_each_page_is_as_the_models_say(order, django_assert_num_queries):
    environment = make_environment()
    for owner_id, days in (("ada", 7), ("bob", 2)):
        for number in range(days):
            BlocklistEntry.objects.create(
                environment=environment,
                owner_id=owner_id,
                listed_id=f"user-{number}",
                added_at=NOON + (number // 2) * DAY,  # pairs at the same moment
                added_by="grace",
            )
    keyset = Keyset(*order)
    where = "environment_id = %s AND owner_id = %s"
    pages = PlainPages(keyset, BlocklistEntry, *COLUMNS, where=where)
    cursor: str | None = ""
    while cursor is not None:
        with django_assert_num_queries(1):
            plain = pages.page(environment.pk, "ada", cursor=cursor, size=3)
        models = keyset.page(BlocklistEntry.objects.of(environment, "ada"), cursor=cursor, size=3)
        for row, model in zip(plain.rows, models.rows, strict=True):
            assert vars(row) == {name: getattr(model, name) for name in COLUMNS}
        assert plain.next == models.next
        if models.previous:
            with pytest.raises(BadCursor):
                pages.page(environment.pk, "ada", cursor=models.previous, size=3)
        cursor = plain.next
