"""`manage.py import_file`."""

import io

import pytest
from django.core.management import CommandError, call_command

from users.models import AppUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(environment, tmp_path):
    def run(content, *options):
        (tmp_path / "users.csv").write_text(content)
        said = io.StringIO()
        place = f"{environment.application.org_name}/development"
        call_command("import_file", place, "users", tmp_path / "users.csv", *options, stdout=said)
        return said.getvalue()

    return run


def test_imports_a_file_and_says_what_became_of_it(run):
    assert "1 will be imported" in run("user_id\nmia\n", "--dry-run")
    assert not AppUser.objects.exists()
    assert "1 imported" in run("user_id\nmia\n")
    assert "There is nothing to import" in run("user_id\nmia\n")


def test_imports_nothing_of_a_broken_file_unless_asked(run):
    with pytest.raises(CommandError, match="--skip-broken"):
        run("user_id\nmia\nno/id\n")
    assert not AppUser.objects.exists()
    assert "line 3: user_id: A user id is" in run("user_id\nmia\nno/id\n", "--skip-broken")
    assert AppUser.objects.get().user_id == "mia"


def test_names_the_environment_or_the_file_that_it_cannot_find(run):
    with pytest.raises(CommandError, match="There is no environment"):
        call_command("import_file", "x/production", "users", "users.csv")
    with pytest.raises(CommandError, match="not among"):
        run("id\nmia\n")
