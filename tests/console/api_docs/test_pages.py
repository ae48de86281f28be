"""The page that shows the calls of each vendor's API."""

import pytest

from api import documents
from applications.vendors import vendors
from tests.console.pages import sign_in
from tests.factories import make_application, make_environment


@pytest.fixture(params=vendors(), ids=lambda vendor: vendor.name)
def vendor(request):
    return request.param


@pytest.fixture
def reader(client, db):
    sign_in(client, make_environment())
    return client


class TestPage:
    def test_shows_every_call_with_its_errors(self, reader, vendor):
        page = reader.get(f"/console/api/{vendor.name}/").content.decode()

        document = documents.of(vendor)
        for path, _, operation in documents.operations(document):
            assert path in page
            for status in operation["responses"]:
                assert status == "200" or f"<dt>{status}</dt>" in page

    def test_shows_fields_with_their_bounds_and_a_call_to_copy(self, reader):
        page = reader.get("/console/api/rongcloud/").content.decode()

        assert "1 to 43,200" in page
        assert "1 to 64 Latin letters" in page
        assert "userId=mia&amp;minute=30" in page
        assert "2007: the quota is full" in page

    def test_filters_the_calls(self, reader, vendor):
        first = next(documents.operations(documents.of(vendor)))
        page = reader.get(f"/console/api/{vendor.name}/", {"q": first[2]["operationId"].upper()})
        assert first[0] in page.text
        assert len(page.context["groups"]) < 4
        assert "No such call" in reader.get(f"/console/api/{vendor.name}/", {"q": "zzz"}).text

    def test_fills_in_the_keys_of_ones_own_environment_alone(self, client, db, vendor):
        mine = make_environment()
        other = make_environment(application=make_application(name="Somebody else"))
        sign_in(client, mine)
        page = client.get(f"/console/api/{vendor.name}/", {"of": mine.full_name}).text
        filled = f"APP_KEY={mine.app_key}", f"/{mine.application.org_name}/{mine.kind}/users"
        assert any(each in page for each in filled)
        page = client.get(f"/console/api/{vendor.name}/", {"of": other.full_name}).text
        assert other.app_key not in page
        assert f"/{other.application.org_name}/" not in page

    def test_requires_signing_in(self, client, db, vendor):
        for path in (f"/console/api/{vendor.name}/", f"/console/api/{vendor.name}/openapi.json"):
            assert client.get(path).status_code == 302

    def test_is_404_for_an_unknown_vendor(self, reader):
        assert reader.get("/console/api/nobody/").status_code == 404

    def test_offers_the_openapi_document(self, reader, vendor):
        assert reader.get(f"/console/api/{vendor.name}/openapi.json").json() == documents.of(vendor)


def test_the_keys_page_links_to_it(client, db):
    environment = make_environment()
    sign_in(client, environment)

    page = client.get(f"/console/{environment.application.org_name}/development/keys/")
    assert b'href="/console/api/nexconn/"' in page.content
