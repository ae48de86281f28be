"""Lists by keyset: no row skipped or shown twice, whatever the data; no cursor bent."""

import base64
import json
from datetime import timedelta

import pytest

from applications.keyset import BadCursor, Keyset
from tests.factories import NOON, make_environment, make_user, make_users
from tests.generated import given, st
from users.models import AppUser

pytestmark = pytest.mark.django_db

NEWEST_FIRST = Keyset("-registered_at", "-id")
BY_ID = Keyset("user_id")
IDS = st.text("abAB0+=._-", min_size=1, max_size=3)


def users_of(moments):
    """A queryset of users with these ids, registered at these moments."""
    environment = make_environment()
    AppUser.objects.bulk_create(
        AppUser(
            environment=environment,
            user_id=user_id,
            registered_at=NOON + timedelta(microseconds=moment),
        )
        for user_id, moment in moments.items()
    )
    return AppUser.objects.filter(environment=environment)


def walk(keyset, queryset, size, cursor="", step="next"):
    """All rows from the cursor on, page by page."""
    pages = []
    while cursor is not None:
        page = keyset.page(queryset, cursor=cursor, size=size)
        assert len(page.rows) <= size
        pages.append(page.rows)
        cursor = getattr(page, step)
    return [row for page in (pages if step == "next" else pages[::-1]) for row in page]


class TestPages:
    # Few moments for many rows: most of them tie.
    @given(moments=st.dictionaries(IDS, st.integers(0, 3), max_size=15), size=st.integers(1, 6))
    @pytest.mark.parametrize(
        "keyset", [NEWEST_FIRST, Keyset("registered_at", "id"), BY_ID, Keyset("-user_id")], ids=str
    )
    def test_are_the_plain_order_cut_in_pieces_in_both_directions(self, keyset, moments, size):
        users = users_of(moments)
        plain = list(users.order_by(*keyset.columns))
        assert walk(keyset, users, size) == plain
        if plain:
            last = plain[-1]
            before_last = keyset._encode(last, "p")
            assert walk(keyset, users, size, before_last, "previous") == plain[:-1]

    def test_ids_are_in_the_order_of_their_bytes(self):
        users = users_of(dict.fromkeys(["b", "B", "a", "A", "_", "0", "a1", "a-"], 0))
        assert [user.user_id for user in walk(BY_ID, users, 3)] == sorted(
            ["b", "B", "a", "A", "_", "0", "a1", "a-"]
        )

    def test_rows_that_come_and_go_meanwhile_move_no_other(self):
        environment = make_environment()
        users = make_users(environment=environment, count=6)
        first = BY_ID.page(AppUser.objects.all(), size=3)
        users[1].delete()
        make_user(environment=environment, user_id="a-newcomer")
        second = BY_ID.page(AppUser.objects.all(), cursor=first.next or "", size=3)
        assert second.rows == users[3:]
        assert second.next is None

    def test_a_page_is_one_query(self, django_assert_num_queries):
        make_users(environment=make_environment(), count=5)
        page = BY_ID.page(AppUser.objects.all(), size=2)
        with django_assert_num_queries(1):
            BY_ID.page(AppUser.objects.all(), cursor=page.next or "", size=2)

    def test_mixed_directions_are_refused_for_no_index_serves_them(self):
        with pytest.raises(ValueError, match="same way"):
            Keyset("-registered_at", "id")


def forged(values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("tx"), inner),
    max_leaves=4,
)
MOMENTS = st.datetimes().map(lambda moment: {"t": moment.isoformat()}) | st.datetimes(
    timezones=st.timezones()
).map(lambda moment: {"t": moment.isoformat()})
VALUES = JSON | MOMENTS | st.sampled_from([2**63, -(2**63) - 1, "\x00", "\ud800"])


class TestCursors:
    """What a caller made up is an empty answer or `BadCursor`, and never a crash."""

    @given(
        cursor=st.text(max_size=40)
        | st.lists(VALUES, max_size=4).map(forged)
        | st.tuples(st.sampled_from("npx"), VALUES).map(forged)
        | st.tuples(st.sampled_from("np"), VALUES, VALUES).map(forged)
        | st.tuples(st.sampled_from("np"), MOMENTS, st.integers()).map(forged)
    )
    @pytest.mark.parametrize("keyset", [NEWEST_FIRST, BY_ID, Keyset("id")], ids=str)
    def test_made_up_are_refused_or_harmless(self, keyset, cursor):
        try:
            page = keyset.page(AppUser.objects.all(), cursor=cursor, size=2)
        except BadCursor:
            return
        assert page.rows == []

    def test_of_another_list_are_refused(self):
        make_users(environment=make_environment(), count=3)
        cursor = BY_ID.page(AppUser.objects.all(), size=1).next
        with pytest.raises(BadCursor):
            NEWEST_FIRST.page(AppUser.objects.all(), cursor=cursor or "", size=1)
