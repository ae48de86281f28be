"""Imports: a verdict on each line, then the verbs of the other doors; repeated, nothing changes."""

from datetime import timedelta

import pytest
from django.db import transaction

from applications.audit_types import AuditType
from applications.models import FREE_USER_LIMIT, AuditEvent, Plan
from moderation import lists
from moderation.models import Ban, BlocklistEntry, Mute
from tests.factories import (
    DAY,
    NOON,
    make_ban,
    make_deactivated,
    make_environment,
    make_import,
    make_user,
    make_users,
    run_import,
    staff_actor,
)
from transfers import imports
from transfers.models import KEPT, ImportJob, ImportRow
from users.models import AppUser, Friendship, Place

pytestmark = pytest.mark.django_db
AT = {"by": staff_actor("mod"), "now": NOON}
END = (NOON + DAY).isoformat()


def verdicts(job):
    rows = job.rows.order_by("line").values_list("line", "result", "problem")
    return {line: (result, problem) for line, result, problem in rows}


def do(job, **options):
    imports.confirm(job=job, **{"skip_broken": True, **AT, **options})
    return run_import(job)


class TestUsers:
    def test_each_line_gets_its_verdict_and_nothing_is_imported_yet(self, environment):
        make_user(environment=environment, user_id="ada")
        make_deactivated(environment=environment, user_id="gone")
        content = "user_id,name\nmia,Mia\nada,Ada\nno/id,x\nmia,Again\ngone,x\n,x\n"
        job = make_import(environment=environment, content=content)
        found = verdicts(job)
        assert [found[line][0] for line in range(2, 8)] == [
            *("ready", "exists", "broken", "exists", "refused", "broken"),
        ]
        assert found[4][1].startswith("user_id: A user id is 1 to 64")
        assert found[5][1] == "Line 2 is the same"
        assert found[7][1] == "user_id: is empty"
        assert job.state == ImportJob.State.PREVIEWED
        assert not AppUser.objects.filter(user_id="mia").exists()

    def test_are_registered_by_whoever_confirms(self, environment):
        content = (
            '{"user_id": "mia", "name": "Mia", "registered_at": 1500000000000, "x": 1}\n'
            '{"user_id": "ben"}\n'
        )
        job = make_import(environment=environment, content=content, name="users.jsonl")
        assert job.ignored == ["x"]
        assert do(job) == {"done": 2}
        mia = AppUser.objects.get(user_id="mia")
        assert (mia.name, mia.registered_at.year) == ("Mia", 2017)
        line = AuditEvent.objects.get(type=AuditType.USER_REGISTERED, subject="mia")
        assert (line.actor, line.via) == ("mod", f"import {job.pk}")
        assert Place.objects.get(user=mia).taken_by == "mod"

    def test_fill_the_quota_in_the_order_of_the_file_and_no_more(self, environment):
        """Law 5."""
        make_users(environment=environment, count=FREE_USER_LIMIT - 2)
        job = make_import(environment=environment, content="user_id\na\nb\nc\nd\n")
        assert [result for result, _ in verdicts(job).values()] == [
            *("ready", "ready", "over_quota", "over_quota"),
        ]
        make_user(environment=environment, user_id="quicker")
        assert do(job) == {"done": 1, "over_quota": 3}
        assert AppUser.objects.filter(environment=environment).count() == FREE_USER_LIMIT

    def test_a_second_time_nothing_changes(self, environment):
        content = "user_id,name\nmia,Mia\nben,Ben\n"
        assert do(make_import(environment=environment, content=content)) == {"done": 2}
        lines = AuditEvent.objects.filter(type=AuditType.USER_REGISTERED).count()
        again = make_import(environment=environment, content=content)
        assert imports.progress(again) == {"exists": 2}
        with pytest.raises(imports.NothingToImport):
            do(again)
        assert AuditEvent.objects.filter(type=AuditType.USER_REGISTERED).count() == lines

    def test_whose_id_is_taken_in_another_case_are_refused_alone(self, environment):
        environment.ids_ignore_case = True
        environment.save()
        make_user(environment=environment, user_id="Mia")
        job = make_import(environment=environment, content="user_id\nmia\nben\n")
        assert do(job) == {"done": 1, "refused": 1}


class TestModeration:
    def test_bans_begin_and_those_in_force_stay(self, environment):
        kept = make_ban(environment=environment, user_id="ada", expires_at=None)
        content = (
            f"user_id,expires_at,reason\nmia,{END},spam\nada,{END},\nben,permanent,\n"
            f"old,{(NOON - DAY).isoformat()},\nx,soon,\n"
        )
        job = make_import(environment=environment, kind="bans", content=content)
        assert do(job) == {"broken": 1, "done": 2, "exists": 1, "refused": 1}
        in_force = {ban.user_id: ban for ban in Ban.objects.in_force(NOON)}
        assert in_force.keys() == {"mia", "ada", "ben"}
        assert in_force["ada"].pk == kept.pk
        mia = in_force["mia"]
        assert (mia.expires_at, mia.reason, mia.imposed_by) == (NOON + DAY, "spam", "mod")

    def test_in_production_bans_need_reasons(self):
        environment = make_environment(kind="production", plan=Plan.PRO)
        content = f"user_id,expires_at,reason\nmia,{END},\nben,{END},spam\n"
        job = make_import(environment=environment, kind="bans", content=content)
        assert [result for result, _ in verdicts(job).values()] == ["broken", "ready"]

    def test_mutes_and_lists_are_imported(self, environment):
        mutes = f"user_id,channel,expires_at\nmia,group,{END}\nmia,direct,permanent\nmia,x,{END}\n"
        job = make_import(environment=environment, kind="mutes", content=mutes)
        assert do(job) == {"broken": 1, "done": 2}
        assert Mute.objects.in_force(NOON).count() == 2
        blocked = "owner_id,listed_id\nmia,ben\nmia,ada\nmia,mia\nben,mia\n"
        job = make_import(environment=environment, kind="blocklist", content=blocked)
        assert do(job) == {"broken": 1, "done": 3}
        assert BlocklistEntry.objects.count() == 3
        allowed = "owner_id,listed_id,switched_on\nmia,ben,yes\nben,mia,no\n"
        job = make_import(environment=environment, kind="allowlist", content=allowed)
        assert do(job) == {"done": 2}
        on = lists.allowlists_on(environment=environment, owner_ids=["mia", "ben"])
        assert on == {"mia"}

    def test_a_list_that_would_be_too_long_is_refused_as_a_whole(self, environment, monkeypatch):
        monkeypatch.setattr(lists.UserList.add, "__kwdefaults__", {"most": 1})
        job = make_import(
            environment=environment,
            kind="blocklist",
            content="owner_id,listed_id\nmia,ben\nmia,ada\nben,ada\n",
        )
        assert do(job) == {"done": 1, "refused": 2}

    def test_friends_keep_their_aliases(self, environment):
        for user_id in ("mia", "ben"):
            make_user(environment=environment, user_id=user_id)
        content = "user_id,friend_id,alias\nmia,ben,Benny\nben,mia,\nmia,nobody,\n"
        job = make_import(environment=environment, kind="friends", content=content)
        assert do(job) == {"done": 2, "refused": 1}
        aliases = Friendship.objects.values_list("owner_id", "alias")
        assert dict(aliases) == {"mia": "Benny", "ben": ""}


class TestJob:
    def test_broken_lines_are_left_out_only_if_somebody_says_so(self, environment):
        job = make_import(environment=environment, content="user_id\nmia\nno/id\n")
        with pytest.raises(imports.HasBrokenLines):
            do(job, skip_broken=False)
        assert do(job) == {"broken": 1, "done": 1}
        finished = AuditEvent.objects.get(type=AuditType.IMPORT_FINISHED)
        assert finished.after == {"import": job.pk, "kind": "users", "broken": 1, "done": 1}

    def test_goes_on_where_it_was_after_its_worker_died(self, environment, monkeypatch):
        monkeypatch.setattr(type(imports.KINDS["users"]), "batch", 1)
        job = make_import(environment=environment, content="user_id\nmia\nben\nada\n")
        imports.confirm(job=job, skip_broken=False, **AT)
        assert imports.run_batch(job_id=job.pk, now=NOON)
        with transaction.atomic():  # died before the commit
            assert imports.run_batch(job_id=job.pk, now=NOON)
            transaction.set_rollback(True)
        assert imports.stalled(now=NOON + timedelta(minutes=1)) == [job.pk]
        assert run_import(job) == {"done": 3}
        assert AuditEvent.objects.filter(type=AuditType.USER_REGISTERED).count() == 3

    def test_can_be_stopped(self, environment):
        job = make_import(environment=environment, content="user_id\nmia\n")
        imports.cancel(job=job, **AT)
        with pytest.raises(imports.JobNotOpen):
            do(job)
        assert not AppUser.objects.exists()

    def test_is_forgotten_after_a_day(self, environment):
        make_import(environment=environment)
        assert not imports.forget_old(now=NOON + KEPT - timedelta(seconds=1))
        while imports.forget_old(now=NOON + KEPT):
            pass
        assert not ImportJob.objects.exists()
        assert not ImportRow.objects.exists()
