"""That no exception of the domain is without an answer, in any vendor's table: by walking through
the source, from each call down to every `raise`.
"""

import ast
import inspect
import textwrap
from functools import cache

import pytest

from applications.audit import OutsideTransaction
from applications.environments import RESERVED_ORG_NAMES
from applications.models import Door
from console.api.doors import VENDORS
from users.deactivation import ByApiOnly

OURS = ("applications.", "users.", "moderation.", "console.api.")
# Mistakes of ours, not of a caller: they are to crash. API callers are never staff.
MISTAKES = {OutsideTransaction, RuntimeError, ValueError, ByApiOnly}


def resolve(node, names):
    """What an expression such as `lists.blocklist.add` stands for; None when nobody can say."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(resolve(node.value, names), node.attr, None)
    return None


@cache
def parsed(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def raised_by(function, seen):
    """The exceptions that a function, and all of ours that it calls, raise by name."""
    function = inspect.unwrap(function)
    owner = getattr(function, "__self__", None)
    plain = getattr(function, "__func__", function)
    if (id(owner), plain) in seen or not (plain.__module__ or "").startswith(OURS):
        return
    seen.add((id(owner), plain))
    names = {**plain.__globals__, "self": owner}
    # A function that is handed over (to a validator, say) may be called as well.
    for node in ast.walk(parsed(plain)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            error = resolve(name, names)
            if inspect.isclass(error):
                yield error
        elif isinstance(node, ast.Name | ast.Attribute):
            target = resolve(node, names)
            if inspect.isroutine(target) and not inspect.isbuiltin(target):
                yield from raised_by(target, seen)


def calls_of(vendor):
    for _, router in vendor.api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                yield path.lstrip("/"), operation.view_func


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request):
    return request.param


class TestTable:
    def test_has_every_exception_that_a_call_can_end_in(self, vendor):
        entrances = [view for _, view in calls_of(vendor)]
        entrances += [*vendor.api.auth, vendor.api.parser.parse_body]
        seen = set()
        raised = {error for entrance in entrances for error in raised_by(entrance, seen)}

        assert len(raised - MISTAKES) > 10, "the walk has lost its way"
        unanswered = {
            error
            for error in raised - MISTAKES
            if not any(kind in vendor.refusals for kind in error.__mro__)
        }
        assert not unanswered

    def test_has_no_place_for_mistakes_of_ours(self, vendor):
        assert not any(kind in vendor.refusals for mistake in MISTAKES for kind in mistake.__mro__)


class TestVendor:
    def test_is_a_door_that_owners_can_close(self, vendor):
        assert vendor.name in Door.values

    def test_leaves_no_call_out_of_its_door(self, vendor):
        for path, _ in calls_of(vendor):
            assert vendor.owns(path.split("/")), path
            assert path.split("/")[0] in RESERVED_ORG_NAMES

    def test_has_second_spellings_of_calls_that_there_are(self, vendor):
        paths = {path for path, _ in calls_of(vendor)}

        assert set(vendor.aliases.values()) <= paths
        assert not paths & set(vendor.aliases)

    def test_limits_calls_that_there_are(self, vendor):
        names = {vendor.call_name("POST", path) for path, _ in calls_of(vendor)}

        assert set(vendor.limits.special) <= names

    def test_has_a_schema(self, vendor):
        schema = vendor.api.get_openapi_schema(path_prefix="/")

        assert len(schema["paths"]) == len(list(calls_of(vendor)))
