"""`manage.py create_application`: scripts read its keys."""

import json

import pytest
from django.core.management import CommandError, call_command

from applications import app_secrets
from applications.models import Application, AuditEvent, Environment, Member
from tests import factories

pytestmark = pytest.mark.django_db


def test_prints_one_json_object_and_nothing_else(capsys):
    factories.make_account(username="grace")
    call_command("create_application", "Chirp", plan="pro", owner="grace", json=True)
    told = json.loads(capsys.readouterr().out)
    application = Application.objects.get()
    assert told["application"] == {"id": application.pk, "name": "Chirp"}
    assert told["environments"].keys() == {"development", "production"}
    for kind, keys in told["environments"].items():
        environment = Environment.objects.get(kind=kind)
        assert keys == {
            "app_key": environment.app_key,
            "app_secret": app_secrets.text(environment.secrets.get()),
            "org_name": "chirp",
            "app_name": kind,
        }
    assert Environment.objects.get(kind="production").plan == "pro"
    assert Member.objects.get().account.username == "grace"
    assert AuditEvent.objects.get().via == "manage.py create_application"


def test_prints_the_same_for_people(capsys):
    call_command("create_application", "Chirp")
    told = capsys.readouterr().out
    for environment in Environment.objects.all():
        assert environment.app_key in told
        assert app_secrets.text(environment.secrets.get()) in told


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("", {}, "1 to 80 characters"),
        ("  ", {}, "1 to 80 characters"),
        ("x" * 81, {}, "1 to 80 characters"),
        ("a\nb", {}, "1 to 80 characters"),
        ("Chirp", {"owner": "nobody"}, "no staff account nobody"),
        ("Chirp", {"owner": ""}, "no staff account"),
        ("Chirp", {"plan": "gold"}, "no plan gold. Plans: trial, starter, pro"),
    ],
)
def test_refuses_what_is_wrong_and_creates_nothing(name, options, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("create_application", name, **options)
    assert not Application.objects.exists()
