"""The plan of the house, where a machine can hold it. (`make lint` holds the storeys too.)"""

import ast
import importlib.util
import inspect
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command

from applications.audit_types import AuditType
from applications.vendors import vendors

STOREYS = ["applications", "users", "moderation", "transfers", "console"]  # from the ground up
DOMAIN = STOREYS[:-1]
OUR_MODELS = [model for name in DOMAIN for model in apps.get_app_config(name).get_models()]


def modules(*storeys):
    return [
        path
        for storey in storeys
        for path in sorted((settings.BASE_DIR / storey).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def shown(path):
    return str(path.relative_to(settings.BASE_DIR))


def is_door(path):
    """Pages, admin (`admin_base` is what its pages share), tasks and commands read the clock. So
    does the bus, of which no law asks when: it rests while Redis is away.
    """
    return path.stem in {"tasks", "admin", "admin_base", "forms", "bus"} or {
        "views",
        "management",
    } & set(path.parts)


@pytest.mark.parametrize("path", [p for p in modules(*DOMAIN) if not is_door(p)], ids=shown)
class TestDomainModule:
    def test_does_not_ask_the_clock(self, path):
        """`now` is an argument of every verb."""
        called = [
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
        ]
        clocks = {"now", "utcnow", "today", "localtime", "monotonic", "time_ns", "Now"}
        assert not [name for name in called if name.split(".")[-1] in clocks or name == "time.time"]


class TestModels:
    @pytest.mark.django_db
    def test_have_all_their_migrations(self):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

    @pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model.__name__)
    def test_have_no_order_that_every_query_would_pay_for(self, model):
        assert not model._meta.ordering

    @pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model.__name__)
    def test_are_in_the_admin(self, model):
        assert admin.site.is_registered(model)

    @pytest.mark.parametrize("path", sorted({Path(inspect.getfile(each)) for each in OUR_MODELS}))
    def test_say_above_their_indexes_which_questions_they_answer(self, path):
        for block in re.findall(r"indexes = \[\n(.*?)\n        \]", path.read_text(), re.DOTALL):
            assert block.lstrip().startswith("#"), block


def test_no_vendor_is_named_outside_its_folder():
    """What pages say of a vendor comes from the vendor: by code or by its own templates."""
    names = re.compile("|".join(["easemob", *(vendor.name for vendor in vendors())]), re.IGNORECASE)
    templates = (settings.BASE_DIR / "templates").rglob("*.html")
    pages = [path for path in templates if "api" not in path.parts]
    named = [shown(path) for path in [*modules(*STOREYS), *pages] if names.search(path.read_text())]
    assert named == []


def test_every_kind_of_audit_line_is_recorded_somewhere():
    """Law 31: the trail promises nothing that never happens."""
    source = "\n".join(path.read_text() for path in modules(*DOMAIN))
    for type in AuditType:
        assert f"AuditType.{type.name}" in source, type


LAWS = (settings.BASE_DIR / "docs/laws.md").read_text()
KEPT_BY = dict(re.findall(r"^\| (\d+) \|.*\| `([\w.]+)` \|$", LAWS, re.MULTILINE))


def test_each_law_has_a_test_that_names_it():
    named = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for numbers in re.findall(r"\bLaws? ([\d, andto]+)", path.read_text()):
            for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
                named.update(map(str, range(int(first), int(last or first) + 1)))
    assert set(KEPT_BY) - named == set()
    assert named - set(KEPT_BY) == set()


@pytest.mark.parametrize("module", sorted(set(KEPT_BY.values())))
def test_the_module_that_keeps_a_law_exists(module):
    assert importlib.util.find_spec(module)


def test_every_module_is_small_enough_to_be_read_at_once():
    """Tables of words may be long: a vendor's schemas."""
    everything = modules(*STOREYS, "api", "gateway", "rollcall")
    lengths = {shown(path): len(path.read_text().splitlines()) for path in everything}
    assert [path for path in lengths if lengths[path] > 300 and "schemas" not in path] == []
