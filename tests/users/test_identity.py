"""Which text may be a user id, a name, an avatar."""

import string

import pytest
from django.db import transaction

from tests.factories import make_environment, make_user
from tests.generated import given, st
from users import identity
from users.identity import InvalidProfile, InvalidUserId
from users.models import AppUser

ALPHABET = string.ascii_letters + string.digits + "+=._-"
GOOD = st.text(ALPHABET, min_size=1, max_size=64).filter(lambda text: text not in {".", ".."})


class TestUserId:
    @given(GOOD)
    def test_is_1_to_64_of_the_letters_that_all_vendors_take(self, user_id):
        assert identity.check_user_id(user_id) == user_id

    @given(st.text().filter(lambda text: not text or set(text) - set(ALPHABET)))
    def test_with_anything_else_in_it_is_refused(self, text):
        with pytest.raises(InvalidUserId) as refusal:
            identity.check_user_id(text)
        assert refusal.value.user_id == text

    @pytest.mark.parametrize("bad", ["a" * 65, ".", "..", "a\n", "a,b", "a/b", "a b", "\u0661"])
    def test_has_no_back_door(self, bad):
        with pytest.raises(InvalidUserId):
            identity.check_user_id(bad)

    @given(st.lists(GOOD))
    def test_given_twice_counts_once_and_keeps_its_place(self, user_ids):
        checked = identity.check_user_ids(user_ids)
        assert set(checked) == set(user_ids)
        assert checked == sorted(checked, key=user_ids.index)

    @pytest.mark.django_db
    def test_compares_by_bytes_and_prefixes_find_exactly_what_begins_with_them(self):
        environment = make_environment()
        ids = ["b", "A", "ab", "aB", "a_b", "a-b", "a+b", "az", "az=", "a.b", "a"]
        for user_id in ids:
            make_user(environment=environment, user_id=user_id)
        for prefix in ["", "a", "A", "a_", "a%", "az", "z", "ab", "é"]:
            found = AppUser.objects.with_prefix(prefix).values_list("user_id", flat=True)
            assert sorted(found) == sorted(user_id for user_id in ids if user_id.startswith(prefix))


class TestProfile:
    @given(name=st.text(max_size=64).filter(lambda text: not identity._unprintable(text)))
    def test_takes_any_name_up_to_64_characters(self, name):
        identity.check_profile(name=name, avatar_url=None)

    @pytest.mark.parametrize(
        ("profile", "field"),
        [
            ({"name": "a" * 101, "avatar_url": None}, "name"),
            ({"name": "a\x00", "avatar_url": None}, "name"),
            ({"name": "\ud800", "avatar_url": None}, "name"),
            ({"name": None, "avatar_url": "ä" * 513}, "avatar_url"),
            ({"name": None, "avatar_url": "a\n"}, "avatar_url"),
        ],
    )
    def test_out_of_bounds_names_its_field(self, profile, field):
        with pytest.raises(InvalidProfile) as refusal:
            identity.check_profile(**profile)
        assert refusal.value.field == field


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused():
    environment = make_environment()
    with pytest.raises(RuntimeError):
        identity.lock(environment, ["ada"])
    with transaction.atomic():
        identity.lock(environment, ["ada"])
