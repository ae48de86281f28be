"""The cost of a new vendor: CONTRIBUTING lists every file outside its folders that it touches."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from applications.vendors import vendors

ROOT = Path(__file__).parents[2]
NAMES = [vendor.name for vendor in vendors()]
FOLDERS = ("api", "templates/api", "tests/api")
OWN = tuple(f"{folder}/{name}/" for folder in FOLDERS for name in NAMES)
SAME_FILES = {"__init__", "auth", "wire", "schemas", "users", "moderation"}
# History, and generated files.
NOT_TOUCHED = re.compile(
    r"/migrations/|\.lock$|-lock\.json$|^CONTRIBUTING|^CHANGELOG|\.(mo|png|svg)$"
)
# It shares its calls with RongCloud.
SIMILAR, MAX_LINES = "nexconn", 750


def text_of(path):
    """A file's text. Python files lose comments and docstrings, which name vendors as examples."""
    text = (ROOT / path).read_text(errors="replace")
    if not path.endswith(".py"):
        return text
    tree = ast.parse(text)
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(value=ast.Constant() as docstring), *_]:
                docstring.value = None
    return ast.unparse(tree)


def names_several(path):
    """Whether a file names several vendors and so would have to name a new one."""
    text = text_of(path).lower()
    return sum(name in text for name in NAMES) > 1


@pytest.fixture(scope="module")
def tree():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a checkout: the list of the project's files is unknown")
    return [path for path in listed.stdout.splitlines() if (ROOT / path).is_file()]


def test_contributing_lists_every_file_that_a_new_vendor_touches(tree):
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    _, _, section = contributing.partition("## A further vendor\n")
    listed = set(re.findall(r"^\| `([^`]+)` \|", section.partition("\n## ")[0], re.MULTILINE))

    touched = {
        path
        for path in tree
        if not path.startswith(OWN) and not NOT_TOUCHED.search(path) and names_several(path)
    }

    assert sorted(touched - listed) == [], "CONTRIBUTING does not list these"
    assert sorted(listed - touched) == [], "these need not be touched any more"


@pytest.mark.parametrize("name", NAMES)
def test_a_vendors_folder_has_the_same_files_as_the_others(name):
    assert {path.stem for path in (ROOT / "api" / name).glob("*.py")} >= SAME_FILES


def test_a_similar_vendor_costs_few_lines_with_its_tests():
    folders = [ROOT / "api" / SIMILAR, ROOT / "tests/api" / SIMILAR]
    files = [path for folder in folders for path in folder.glob("*.py")]
    assert sum(len(path.read_text().splitlines()) for path in files) <= MAX_LINES
