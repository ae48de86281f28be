"""Tags and remarks: what push notices go by; for ids registered or not."""

import pytest

from applications.models import AuditEvent
from tests.factories import NOON, api_actor, make_environment
from users import tags
from users.identity import InvalidUserId
from users.tags import InvalidTags

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return {"environment": make_environment(), "by": api_actor(), "now": NOON}


class TestTags:
    def of(self, here, *user_ids):
        return tags.tags_of(environment=here["environment"], user_ids=user_ids)

    def test_are_set_whole_for_all_of_them(self, here):
        tags.set_tags(user_ids=["bob", "ann"], tags=["vip", "new", "vip"], **here)
        tags.set_tags(user_ids=["ann"], tags=[], **here)

        assert self.of(here, "ann", "bob", "cy") == {"ann": [], "bob": ["vip", "new"], "cy": []}

    def test_leave_a_line_for_each_whose_tags_are_others_now(self, here):
        tags.set_tags(user_ids=["ann"], tags=["vip"], **here)
        tags.set_tags(user_ids=["ann", "bob"], tags=["vip"], **here)

        lines = AuditEvent.objects.filter(type="tags.changed").order_by("pk")
        assert [line.subject for line in lines] == ["ann", "bob"]

    @pytest.mark.parametrize(
        "wrong", [[""], ["x" * 41], ["张" * 14], ["a\x00b"], [f"t{n}" for n in range(21)]]
    )
    def test_have_bounds(self, here, wrong):
        with pytest.raises(InvalidTags):
            tags.set_tags(user_ids=["ann"], tags=wrong, **here)
        assert self.of(here, "ann") == {"ann": []}

    def test_do_no_half_of_a_batch(self, here):
        with pytest.raises(InvalidUserId):
            tags.set_tags(user_ids=["ann", "b/ad"], tags=["vip"], **here)
        assert self.of(here, "ann") == {"ann": []}


class TestRemarks:
    def of(self, here, owner_id):
        found = tags.remarks_of(environment=here["environment"], owner_id=owner_id)
        return dict(found.values_list("about_id", "text"))

    def test_are_the_owners_own_and_replaced_one_by_one(self, here):
        tags.set_remarks(owner_id="ann", remarks={"bob": "Bobby", "cy": "Boss"}, **here)
        tags.set_remarks(owner_id="ann", remarks={"cy": "Old boss"}, **here)
        for _ in range(2):
            tags.remove_remark(owner_id="ann", about_id="bob", **here)

        assert self.of(here, "ann") == {"cy": "Old boss"}
        assert self.of(here, "bob") == {}

    @pytest.mark.parametrize("text", ["", "x" * 65, "a\nb"])
    def test_have_bounds(self, here, text):
        with pytest.raises(InvalidTags):
            tags.set_remarks(owner_id="ann", remarks={"bob": "Bobby", "cy": text}, **here)
        assert self.of(here, "ann") == {}
