"""Law 30: members and their roles. An application that has an owner keeps at least one."""

import pytest
from django.db import IntegrityError

from applications import members
from applications.members import AlreadyMember, LastOwner, NotMember
from applications.models import AuditEvent, Member, Role
from tests.factories import NOON, make_account, make_application, make_member, staff_actor

pytestmark = pytest.mark.django_db

AT = {"by": staff_actor("grace"), "now": NOON}


class TestAdd:
    def test_gives_a_known_account_a_role(self):
        application, account = make_application(), make_account(username="ada")
        member, invited = members.add(
            application=application, username="ada", role=Role.TESTER, **AT
        )
        assert (member.account, member.role, invited) == (account, Role.TESTER, False)
        line = AuditEvent.objects.get(type="member.added")
        assert (line.subject, line.after) == ("ada", {"role": "tester"})

    def test_makes_an_unknown_one_an_account_that_cannot_sign_in_yet(self):
        member, invited = members.add(
            application=make_application(), username="new", role=Role.VIEWER, **AT
        )
        assert invited
        assert not member.account.has_usable_password()
        assert not member.account.is_staff

    def test_twice_is_refused_also_by_the_database(self):
        member = make_member(application=make_application())
        with pytest.raises(AlreadyMember):
            members.add(
                application=member.application,
                username=member.account.username,
                role=Role.VIEWER,
                **AT,
            )
        with pytest.raises(IntegrityError):
            make_member(application=member.application, account=member.account)


class TestTheLastOwner:
    def test_can_neither_go_nor_be_made_less(self):
        owner = make_member(application=make_application(), role=Role.OWNER)
        make_member(application=owner.application, role=Role.ADMIN)
        at = {"application": owner.application, "member_id": owner.pk, **AT}
        with pytest.raises(LastOwner):
            members.remove(**at)
        with pytest.raises(LastOwner):
            members.change_role(role=Role.ADMIN, **at)
        second = make_member(application=owner.application, role=Role.OWNER)
        members.change_role(role=Role.ADMIN, **at)
        assert list(Member.objects.filter(role=Role.OWNER)) == [second]
        members.remove(**at)
        assert not Member.objects.filter(pk=owner.pk).exists()

    def test_of_another_application_does_not_count(self):
        owner = make_member(application=make_application(), role=Role.OWNER)
        make_member(application=make_application(), role=Role.OWNER, account=owner.account)
        with pytest.raises(LastOwner):
            members.remove(application=owner.application, member_id=owner.pk, **AT)


class TestMembers:
    def test_of_another_application_cannot_be_touched(self):
        stranger = make_member(application=make_application(), role=Role.VIEWER)
        at = {"application": make_application(), "member_id": stranger.pk, **AT}
        with pytest.raises(NotMember):
            members.remove(**at)
        with pytest.raises(NotMember):
            members.change_role(role=Role.OWNER, **at)

    def test_given_the_role_they_have_leave_no_line(self):
        member = make_member(application=make_application(), role=Role.VIEWER)
        members.change_role(
            application=member.application, member_id=member.pk, role=Role.VIEWER, **AT
        )
        assert not AuditEvent.objects.filter(type="member.changed").exists()
