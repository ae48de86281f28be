"""Undo of deletions in development: what comes back, what does not, and when it is refused."""

from datetime import timedelta

import pytest

from applications.models import FREE_USER_LIMIT, AuditEvent
from moderation.models import AllowlistEntry, AllowlistSwitch, Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    api_actor,
    make_ban,
    make_deactivated,
    make_entry,
    make_environment,
    make_switch,
    make_token,
    make_user,
    make_users,
    staff_actor,
)
from users import deactivation, deletion, friends, kept, leases, pins, registration, tokens, undo
from users.deletion import NotInProduction
from users.models import (
    UNDO_FOR,
    AppUser,
    Attributes,
    DeletedUser,
    DeletionItem,
    Friendship,
    Place,
    Profile,
    Remark,
    UserTags,
)
from users.undo import Refusal

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}
MICROSECOND = timedelta(microseconds=1)


def delete(environment, *user_ids, now=NOON):
    deletion.delete(environment=environment, user_ids=user_ids, by=staff_actor(), now=now)


def bring_back(environment, *user_ids, now=NOON + HOUR):
    keys = [
        DeletedUser.objects.filter(environment=environment, user_id=user_id).latest("pk").pk
        for user_id in user_ids
    ]
    result = undo.undo(environment=environment, keys=keys, by=staff_actor("grace"), now=now)
    assert len(result.restored) + len(result.refused) == len(user_ids)
    return list(result.refused.values())


def rows(model, environment):
    """All columns of all rows."""
    found = model.objects.filter(environment=environment).order_by("pk")
    return list(found.values(*kept.columns(model)))


NAMING = (Friendship, Remark, UserTags, Attributes, Ban, Mute, BlocklistEntry, AllowlistEntry,
          AllowlistSwitch)  # fmt: skip


def furnish(environment, user_id, other):
    """A row of every kind that names the user."""
    here = {"environment": environment}
    owned = {**here, "owner_id": user_id}
    Profile.objects.create(
        user=AppUser.objects.get(user_id=user_id, **here), basic={"name": "Ann"}, version=7
    )
    Remark.objects.create(about_id=other, text="pal", **owned)
    UserTags.objects.create(tags=["red"], **owned)
    Attributes.objects.create(values={"a": "ü"}, size=9, **owned)
    friends.add(user_id=user_id, friend_id=other, direct=True, **here, **AT)
    closed = {"closed_at": NOON, "closed_by": "grace", "outcome": Ban.Outcome.LIFTED}
    make_ban(user_id=user_id, expires_at=NOON + 3 * MICROSECOND, **here, **closed)
    make_ban(user_id=user_id, expires_at=None, **here)
    Mute.objects.create(user_id=user_id, channel="room", imposed_at=NOON, imposed_by="o", **here)
    for model in (BlocklistEntry, AllowlistEntry):
        make_entry(model, owner_id=user_id, listed_id=other, **here)
        make_entry(model, owner_id=other, listed_id=user_id, **here)
    make_switch(owner_id=user_id, **here)


class TestUndo:
    """Law 9: for 24 hours the console can undo a deletion; then what was kept for it goes."""

    def test_brings_back_all_that_named_the_user(self, environment):
        make_user(environment=environment, user_id="bob")
        user = make_user(
            environment=environment,
            user_id="ann",
            name="Ann",
            password="hashed",
            last_seen_at=NOON - 5 * MICROSECOND,
            push_settings={"level": 1},
        )
        furnish(environment, "ann", "bob")
        before = {model: rows(model, environment) for model in NAMING}
        assert all(before.values())
        delete(environment, "ann")
        assert not any(rows(model, environment) for model in NAMING)
        assert bring_back(environment, "ann") == []
        assert {model: rows(model, environment) for model in NAMING} == before
        back = AppUser.objects.get(user_id="ann")
        same = [name for name in kept.columns(AppUser) if name != "id"]
        assert [getattr(back, name) for name in same] == [getattr(user, name) for name in same]
        assert back.profile.basic == {"name": "Ann"}

    def test_gives_tokens_of_the_earlier_life_no_life(self, environment):
        token = make_token(make_user(environment=environment, user_id="ann"))
        delete(environment, "ann")
        bring_back(environment, "ann")
        with pytest.raises(tokens.TokenRefused):
            tokens.authenticate(environment=environment, token=token, now=NOON + HOUR)
        again = registration.register(environment=environment, user_id="ann", now=NOON + HOUR)
        assert not again.created

    def test_brings_back_pin_and_lease_but_no_lease_that_is_over(self, environment):
        for user_id, until in (("ann", NOON + DAY), ("bob", NOON + HOUR)):
            make_user(environment=environment, user_id=user_id)
            at = {"environment": environment, "user_id": user_id, **AT}
            leases.change(until=until, **at)
            pins.pin(**at)
        delete(environment, "ann", "bob")
        bring_back(environment, "ann", "bob")
        found = Place.objects.order_by("user__user_id").values_list("lease_until", "pinned_at")
        assert list(found) == [(NOON + DAY, NOON), (None, NOON)]

    def test_keeps_nothing_that_can_be_read_in_the_database_or_by_a_call(self, environment):
        make_user(environment=environment, user_id="ann", name="Secret Name")
        delete(environment, "ann")
        document = DeletedUser.objects.get().kept
        assert "Secret" not in document
        assert kept.opened(DeletedUser.objects.get())["user"]["name"] == "Secret Name"
        again = registration.register(environment=environment, user_id="ann", now=NOON)
        assert AppUser.objects.get(pk=again.life).name == ""

    def test_leaves_a_line_and_undoes_once(self, environment):
        make_user(environment=environment, user_id="ann")
        delete(environment, "ann")
        assert bring_back(environment, "ann") == []
        assert bring_back(environment, "ann") == [Refusal.UNDONE]
        assert DeletedUser.objects.get().kept == ""
        assert AuditEvent.objects.filter(type="deletion.undone", subject="ann").count() == 1

    def test_touches_no_other_environment(self, environment):
        make_user(environment=environment, user_id="ann")
        delete(environment, "ann")
        key = DeletedUser.objects.get().pk
        result = undo.undo(environment=make_environment(), keys=[key], **AT)
        assert (result.restored, result.refused) == ([], {})


class TestRefusal:
    def test_when_the_quota_is_full_gives_the_free_places_in_order(self, environment):
        ids = [user.user_id for user in make_users(environment=environment, count=3)]
        delete(environment, *ids)
        make_users(environment=environment, count=FREE_USER_LIMIT - 2, prefix="new-")
        assert bring_back(environment, *ids) == [Refusal.FULL]
        assert AppUser.objects.count() == FREE_USER_LIMIT
        assert not AppUser.objects.filter(user_id=ids[-1]).exists()
        assert AuditEvent.objects.filter(type="quota.reached").count() == 1
        delete(environment, "new-00001")
        assert bring_back(environment, ids[-1]) == []

    def test_when_the_id_is_registered_again_or_deactivated(self, environment):
        for user_id in ("ann", "bob"):
            make_user(environment=environment, user_id=user_id)
        delete(environment, "ann", "bob")
        make_user(environment=environment, user_id="ann")
        make_deactivated(environment=environment, user_id="bob")
        assert bring_back(environment, "ann", "bob") == [Refusal.TAKEN, Refusal.DEACTIVATED]

    def test_when_another_spelling_is_registered_and_case_is_ignored(self, environment):
        make_user(environment=environment, user_id="Ann")
        delete(environment, "Ann")
        make_user(environment=environment, user_id="ann")
        environment.ids_ignore_case = True
        environment.save()
        assert bring_back(environment, "Ann") == [Refusal.TAKEN]

    def test_after_24_hours_to_the_microsecond(self, environment):
        ids = [user.user_id for user in make_users(environment=environment, count=2)]
        delete(environment, *ids)
        assert bring_back(environment, ids[0], now=NOON + UNDO_FOR - MICROSECOND) == []
        assert bring_back(environment, ids[1], now=NOON + UNDO_FOR) == [Refusal.TOO_LATE]

    def test_in_production_where_nothing_is_kept(self):
        production = make_environment(kind="production", deletion_unlocked_until=NOON + HOUR)
        make_user(environment=production, user_id="ann")
        deletion.delete(environment=production, user_ids=["ann"], by=api_actor(), now=NOON)
        assert not DeletedUser.objects.exists()
        with pytest.raises(NotInProduction):
            undo.undo(environment=production, keys=[], **AT)


class TestTwo:
    """Rows that name two users who were both deleted, together or one after another."""

    @pytest.fixture(autouse=True)
    def pair(self, environment):
        for user_id in ("ann", "bob"):
            make_user(environment=environment, user_id=user_id)
        furnish(environment, "ann", "bob")

    @pytest.mark.parametrize("first", ["ann", "bob"])
    def test_deleted_one_after_another_come_back_whole_in_either_order(self, environment, first):
        before = {model: rows(model, environment) for model in NAMING}
        delete(environment, "ann")
        delete(environment, "bob", now=NOON + MICROSECOND)
        last = "bob" if first == "ann" else "ann"
        assert bring_back(environment, first) == []
        assert not rows(Friendship, environment)
        assert bring_back(environment, last) == []
        assert {model: rows(model, environment) for model in NAMING} == before

    def test_deleted_at_once_come_back_at_once(self, environment):
        before = {model: rows(model, environment) for model in NAMING}
        delete(environment, "ann", "bob")
        assert bring_back(environment, "bob", "ann") == []
        assert {model: rows(model, environment) for model in NAMING} == before

    def test_come_back_without_what_bound_them_if_the_other_began_a_new_life(self, environment):
        delete(environment, "ann")
        delete(environment, "bob", now=NOON + MICROSECOND)
        registration.register(environment=environment, user_id="bob", now=NOON + HOUR)
        assert bring_back(environment, "ann") == []
        assert not rows(Friendship, environment)
        assert not rows(BlocklistEntry, environment)
        assert rows(Ban, environment)

    def test_are_no_friends_again_if_the_other_was_deactivated_since(self, environment):
        delete(environment, "ann")
        at = {"environment": environment, "user_ids": ["bob"], "by": api_actor()}
        deactivation.deactivate(now=NOON, **at)
        bring_back(environment, "ann")
        assert not rows(Friendship, environment)


class TestMeanwhile:
    def test_a_later_ban_stays_in_force_and_the_former_becomes_history(self, environment):
        make_user(environment=environment, user_id="ann")
        make_ban(environment=environment, user_id="ann", reason="first")
        delete(environment, "ann")
        make_ban(environment=environment, user_id="ann", reason="second")
        assert bring_back(environment, "ann") == []
        assert Ban.objects.open().get().reason == "second"
        assert Ban.objects.get(reason="first").outcome == Ban.Outcome.REPLACED

    def test_what_was_written_since_stays(self, environment):
        make_user(environment=environment, user_id="ann")
        here = {"environment": environment, "owner_id": "ann"}
        Attributes.objects.create(values={"a": "old"}, size=9, **here)
        delete(environment, "ann")
        Attributes.objects.create(values={"a": "new"}, size=9, **here)
        bring_back(environment, "ann")
        assert Attributes.objects.get().values == {"a": "new"}

    def test_no_list_grows_beyond_its_limit(self, environment, monkeypatch):
        monkeypatch.setattr("moderation.erasure.MAX_ENTRIES", 2)
        make_user(environment=environment, user_id="ann")
        for owner_id in ("bob", "eve"):
            make_entry(BlocklistEntry, environment=environment, owner_id=owner_id, listed_id="ann")
        delete(environment, "ann")
        for listed_id in ("x", "y"):
            make_entry(BlocklistEntry, environment=environment, owner_id="bob", listed_id=listed_id)
        bring_back(environment, "ann")
        assert sorted(BlocklistEntry.objects.values_list("owner_id", "listed_id")) == [
            ("bob", "x"),
            ("bob", "y"),
            ("eve", "ann"),
        ]

    def test_deactivation_erases_what_was_kept(self, environment):
        make_user(environment=environment, user_id="ann")
        delete(environment, "ann")
        at = {"environment": environment, "user_ids": ["ann"], "by": api_actor()}
        deactivation.deactivate(now=NOON, **at)
        assert not DeletedUser.objects.exists()


class TestJob:
    def test_is_undone_with_a_result_for_each_user(self, environment):
        users = make_users(environment=environment, count=3)
        job = deletion.preview(environment=environment, candidates=[(u, "") for u in users], **AT)
        deletion.confirm(job=job, **AT)
        while deletion.run_batch(job_id=job.pk, now=NOON):
            pass
        taken = users[0].user_id
        make_user(environment=environment, user_id=taken)
        keys = list(job.deleted_users.values_list("pk", flat=True))
        result = undo.undo(environment=environment, keys=keys, **AT)
        assert [each.user_id for each in result.restored] == [u.user_id for u in users[1:]]
        assert list(result.refused.values()) == [Refusal.TAKEN]
        results = dict(job.items.values_list("user_id", "result"))
        assert results == {
            taken: DeletionItem.Result.DELETED,
            **{u.user_id: DeletionItem.Result.UNDONE for u in users[1:]},
        }

    def test_costs_the_same_for_many_as_for_few(self, environment, django_assert_num_queries):
        counts = []
        for number in (2, 20):
            ids = [u.user_id for u in make_users(environment=environment, count=number)]
            delete(environment, *ids)
            keys = list(DeletedUser.objects.undoable(NOON).values_list("pk", flat=True))
            with django_assert_num_queries(50, exact=False) as queries:
                assert len(undo.undo(environment=environment, keys=keys, **AT).restored) == number
            counts.append(len(queries))
            AppUser.objects.all().delete()
        assert counts[0] == counts[1]


class TestPurge:
    def test_after_24_hours_nothing_is_kept(self, environment):
        ids = [user.user_id for user in make_users(environment=environment, count=2)]
        delete(environment, ids[0])
        delete(environment, ids[1], now=NOON + HOUR)
        assert kept.purge(now=NOON + UNDO_FOR - MICROSECOND) == 0
        assert kept.purge(now=NOON + UNDO_FOR) == 1
        assert DeletedUser.objects.get().user_id == ids[1]
