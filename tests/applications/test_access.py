"""Law 30: roles, and the one way to an environment. Someone else's application is 404, not 403."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from applications.access import Permission, applications_of, permissions
from applications.models import Environment, Member, Role
from console.access import Access, in_environment
from tests.factories import make_account, make_application, make_member

V, U, M, A, O, L = Permission  # noqa: E741
DEVELOPMENT, PRODUCTION = Environment.Kind

TABLE = [
    (Role.VIEWER, {V}, {V}),
    (Role.TESTER, {V, U, M}, {V}),
    (Role.MODERATOR, {V, M}, {V, M}),
    (Role.ADMIN, {V, U, M, A}, {V, U, M, A}),
    (Role.OWNER, {V, U, M, A, O, L}, {V, U, M, A, O, L}),
]


class TestRoles:
    @pytest.mark.parametrize(("role", "development", "production"), TABLE)
    def test_hold_what_the_table_says(self, role, development, production):
        assert permissions(role, DEVELOPMENT) == development
        assert permissions(role, PRODUCTION) == production

    def test_are_all_in_the_table(self):
        assert [role for role, _, _ in TABLE] == list(Role)

    def test_missing_are_named(self):
        access = Access(Member(role=Role.TESTER), PRODUCTION)
        assert not access.may["moderate"]
        assert access.needs["moderate"] == "Needs role moderator or admin or owner"
        assert access.needs["lift_locks"] == "Needs role owner"
        with pytest.raises(PermissionDenied, match=r"Your role \(tester\) does not include .* ban"):
            access.require(Permission.MODERATE)


@in_environment(Permission.MODERATE)
def page(request, environment, user_id):
    return HttpResponse(f"{environment} {user_id} {request.access.member.role}")


def visit(account, org_name, kind):
    request = RequestFactory().get("/")
    request.user = account
    return page(request, org_name, kind, user_id="ada")


@pytest.mark.django_db
class TestInEnvironment:
    def test_hands_the_page_the_environment_and_what_is_allowed_there(self):
        member = make_member(application=make_application(name="Chirp"), role=Role.TESTER)
        answer = visit(member.account, "chirp", "development")
        assert answer.content.decode() == "Chirp · development ada tester"

    def test_is_403_where_the_role_is_too_small(self):
        member = make_member(application=make_application(name="Chirp"), role=Role.TESTER)
        with pytest.raises(PermissionDenied):
            visit(member.account, "chirp", "production")

    def test_is_404_for_whoever_is_no_member_even_a_superuser_or_an_owner_elsewhere(self):
        make_application(name="Chirp")
        elsewhere = make_member(application=make_application(name="Tweet"), role=Role.OWNER)
        for stranger in (elsewhere.account, make_account(is_staff=True, is_superuser=True)):
            for kind in Environment.Kind:
                with pytest.raises(Http404):
                    visit(stranger, "chirp", kind)
            assert "chirp" not in [each.org_name for each in applications_of(stranger)]

    def test_is_404_for_what_does_not_exist(self):
        member = make_member(application=make_application(name="Chirp"))
        for org_name, kind in (("chirp", "staging"), ("chirp-2", "production")):
            with pytest.raises(Http404):
                visit(member.account, org_name, kind)

    def test_costs_two_queries(self, django_assert_num_queries):
        member = make_member(application=make_application(name="Chirp"))
        with django_assert_num_queries(2):
            visit(member.account, "chirp", "production")
