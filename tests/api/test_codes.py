"""Every vendor's table has every exception that its calls can raise. The tests walk through the
source, from each call down to every `raise`.
"""

import ast
import builtins
import inspect
import textwrap
from functools import cache

import pytest

from api.agora import auth, service_token
from applications.audit import OutsideTransaction
from applications.environments import InvalidSetting, PlanNotAllowed, reserved_org_names
from applications.vendors import vendors
from moderation.stakes import ReasonNeeded
from users import app_tokens
from users.deactivation import ByApiOnly
from users.tokens import TokenRefused

OURS = ("applications.", "users.", "moderation.", "api.")
# Our own mistakes, not a caller's, which must crash. API callers are never staff.
MISTAKES = {OutsideTransaction, RuntimeError, ValueError, ByApiOnly, ReasonNeeded}
# Caught by Agora's door when it checks a token. It changes no setting but a boolean.
CAUGHT = {
    *(app_tokens.MalformedToken, service_token.ForeignToken, auth.TokenRejected, TokenRefused),
    *(InvalidSetting, PlanNotAllowed),
}


def resolve(node, names):
    """The object behind an expression such as `lists.blocklist.add`; None if it is unknown."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(resolve(node.value, names), node.attr, None)
    return None


@cache
def parsed(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def raised_by(function, known):
    """The exceptions that leave a function: its own, and those of our functions that it calls."""
    function = inspect.unwrap(function)
    owner = getattr(function, "__self__", None)
    plain = getattr(function, "__func__", function)
    if not (plain.__module__ or "").startswith(OURS):
        return set()
    key = (id(owner), plain)
    if key not in known:
        known[key] = set()  # for recursive calls
        known[key] = leaving(parsed(plain), {**plain.__globals__, "self": owner}, known)
    return known[key]


def leaving(node, names, known):
    """The exceptions that leave a syntax node."""
    if isinstance(node, ast.Try):
        return leaving_try(node, names, known)
    found = set()
    if isinstance(node, ast.Raise) and node.exc is not None:
        name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        error = resolve(name, names)
        if inspect.isclass(error):
            found.add(error)
    elif isinstance(node, ast.Name | ast.Attribute):
        # Called here, or passed to a function that calls it.
        target = resolve(node, names)
        if inspect.isroutine(target) and not inspect.isbuiltin(target):
            found |= raised_by(target, known)
    return found.union(*(leaving(child, names, known) for child in ast.iter_child_nodes(node)))


def leaving_try(node, names, known):
    def of(nodes):
        return set().union(*(leaving(each, names, known) for each in nodes))

    caught = set()
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        caught |= {resolve(kind, names) or getattr(builtins, ast.unparse(kind)) for kind in kinds}
    passed = {error for error in of(node.body) if not issubclass(error, tuple(caught))}
    return passed | of(node.handlers) | of(node.orelse) | of(node.finalbody)


def calls_of(vendor):
    """Yields (method, route, function) of each call."""
    for _, router in vendor.api._routers:
        for path, view in router.path_operations.items():
            route = path.lstrip("/").replace("{", "<").replace("}", ">")
            for operation in view.operations:
                for method in operation.methods:
                    yield method, route, operation.view_func


@pytest.fixture(params=vendors(), ids=lambda vendor: vendor.name)
def vendor(request):
    return request.param


class TestTable:
    def test_has_every_exception_that_a_call_can_raise(self, vendor):
        entrances = [view for _, _, view in calls_of(vendor)]
        entrances += [*vendor.api.auth, vendor.api.parser.parse_body]
        known = {}
        raised = set().union(*(raised_by(entrance, known) for entrance in entrances))

        assert len(raised - MISTAKES) > 10, "the walk found too few exceptions"
        unanswered = {
            error
            for error in raised - MISTAKES
            if not any(kind in {*vendor.refusals, *CAUGHT} for kind in error.__mro__)
        }
        assert not unanswered

    def test_has_no_entry_for_our_own_mistakes(self, vendor):
        assert not any(kind in vendor.refusals for mistake in MISTAKES for kind in mistake.__mro__)


class TestVendor:
    def test_owns_paths_that_are_reserved(self, vendor):
        for _, route, _ in calls_of(vendor):
            first = route.split("/")[0]
            assert vendor.tenant_segments or vendor.owns([first])
            assert vendor.tenant_segments or first in reserved_org_names()

    def test_has_aliases_of_existing_calls_only(self, vendor):
        routes = {route for _, route, _ in calls_of(vendor)}

        assert set(vendor.aliases.values()) <= routes
        assert not routes & set(vendor.aliases)

    def test_limits_existing_calls_only(self, vendor):
        names = {vendor.call_name(method, route) for method, route, _ in calls_of(vendor)}

        assert set(vendor.limits.by_call) <= names

    def test_has_a_schema(self, vendor):
        assert vendor.api.get_openapi_schema(path_prefix="/")["paths"]
