"""Import and export: dry run, confirmation and manifest; short lists at once, long ones as jobs."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications.models import Role
from console.transfers import sources, views
from console.transfers.sources import SOURCES
from console.uploads import is_too_large
from tests.console.pages import address, sign_in, url
from tests.factories import (
    NOON,
    make_ban,
    make_environment,
    make_import,
    make_users,
    run_import,
)
from transfers import exports, files
from transfers.kinds import KINDS
from transfers.models import ExportJob, ImportJob
from users.models import AppUser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def upload(client, environment, content, *, name="users.csv", kind="users"):
    file = SimpleUploadedFile(name, content)
    return client.post(address("transfers:upload", environment), {"kind": kind, "file": file})


@pytest.mark.usefixtures("member")
class TestImport:
    def test_goes_from_the_file_through_the_verdicts_to_the_users(self, client, environment):
        response = upload(client, environment, b"user_id,name\nmia,Mia\nno/id,x\n")
        job = ImportJob.objects.get()
        assert response.url == address("transfers:import_job", environment, job.pk)
        assert "Checking each line" in client.get(response.url).text
        run_import(job)
        page = client.get(response.url).text
        assert "Import 1 line" in page
        assert "user_id: A user id is" in page
        confirm = address("transfers:confirm", environment, job.pk)
        assert client.post(confirm).status_code == 422
        assert client.post(confirm, {"skip_broken": "on"}).status_code == 302
        run_import(job)
        assert "1 line imported" in client.get(response.url).text
        assert AppUser.objects.get().name == "Mia"
        manifest = client.get(address("transfers:manifest", environment, job.pk))
        [row] = csv.DictReader(io.StringIO(manifest.getvalue().decode()))
        assert (row["user_id"], row["name"], row["line"]) == ("no/id", "x", "3")

    def test_says_beside_the_field_what_is_wrong_with_a_file(self, client, environment):
        response = upload(client, environment, b"PK\x03\x04")
        assert response.status_code == 422
        assert "an Excel workbook" in response.text

    def test_of_two_gigabytes_is_refused_before_it_is_read(self, client, environment):
        response = client.post(
            address("transfers:upload", environment), headers={"Content-Length": str(2**31)}
        )
        assert response.status_code == 413
        assert "at most 64 MB" in response.text
        assert not is_too_large(str(files.MOST_BYTES))


class TestRules:
    def test_in_production_the_name_is_typed(self, client):
        environment = make_environment(kind="production")
        sign_in(client, environment)
        job = make_import(environment=environment, content="user_id\nmia\n")
        confirm = address("transfers:confirm", environment, job.pk)
        assert client.post(confirm).status_code == 422
        client.post(confirm, {"confirm": environment.full_name})
        job.refresh_from_db()
        assert job.state == "running"

    def test_a_moderator_imports_bans_but_no_users(self, client, environment):
        sign_in(client, environment, Role.MODERATOR)
        content = b"user_id,expires_at\nmia,permanent\n"
        assert upload(client, environment, content).status_code == 403
        assert upload(client, environment, content, kind="bans").status_code == 302


@pytest.mark.usefixtures("member")
class TestExport:
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("format", files.Format)
    def test_every_list_is_a_file_with_its_columns(self, client, environment, source, format):
        assert client.get(address("transfers:export", environment, source)).status_code == 200
        path = f"transfers/export/{source}/file"
        response = client.get(url(environment, path, format=format))
        content = response.getvalue().decode()
        assert response["Content-Type"] == format.content_type
        if format == "csv":
            assert content.splitlines()[0] == ",".join(SOURCES[source].columns)
        else:
            assert all(json.loads(line) for line in content.splitlines())

    @pytest.mark.parametrize("name", KINDS)
    def test_an_export_has_the_columns_of_an_import(self, name):
        ours = {column.name for column in KINDS[name].columns}
        assert ours <= set(SOURCES[name].columns)

    def test_a_long_list_is_written_by_a_job_and_fetched(self, client, environment, monkeypatch):
        monkeypatch.setattr(views, "AT_ONCE", 4)
        monkeypatch.setattr(sources, "AT_ONCE", 3)
        make_users(environment=environment, count=7)
        here = url(environment, "transfers/export/users/", q="user-")
        assert "Write the file" in client.get(here).text
        now = client.get(url(environment, "transfers/export/users/file", q="user-", format="csv"))
        assert now.status_code == 302
        response = client.post(here, {"format": "jsonl"})
        job = ExportJob.objects.get()
        assert response.url == address("transfers:export_job", environment, job.pk)
        file = address("transfers:export_file", environment, job.pk)
        assert client.get(file).status_code == 404
        assert exports.run_batch(job_id=job.pk, now=NOON)
        assert exports.stalled(now=NOON) == []
        while exports.run_batch(job_id=job.pk, now=NOON):
            pass
        assert "The file is ready" in client.get(response.url).text
        lines = client.get(file).getvalue().decode().splitlines()
        assert len({json.loads(line)["user_id"] for line in lines}) == len(lines) == 7

    def test_a_file_is_gone_after_a_day(self, client, environment, at_noon):
        client.post(address("transfers:export", environment, "users"), {"format": "csv"})
        job = ExportJob.objects.get()
        while exports.run_batch(job_id=job.pk, now=NOON):
            pass
        file = address("transfers:export_file", environment, job.pk)
        assert client.get(file).status_code == 200
        at_noon.shift(exports.KEPT)
        assert client.get(file).status_code == 404
        assert exports.forget_old(now=NOON + exports.KEPT)

    def test_what_was_exported_exists_already(self, client, environment):
        make_ban(environment=environment, user_id="mia", expires_at=None)
        path = "transfers/export/bans/file"
        content = client.get(url(environment, path, format="csv")).getvalue()
        job = make_import(environment=environment, kind="bans", content=content)
        assert run_import(job) == {"exists": 1}
