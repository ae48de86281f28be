"""Pages that fail."""

import pytest
from django.urls import reverse

from tests.console.pages import address, sign_in
from tests.factories import make_environment


@pytest.fixture
def signed_in(client, db):
    environment = make_environment()
    sign_in(client, environment)
    client.raise_request_exception = False
    return client, address("environment:index", environment)


class TestLostDatabase:
    def test_gives_a_503_page(self, signed_in, lose_database):
        client, page = signed_in
        assert client.get(page).status_code == 200
        lose_database()

        for path in (page, reverse("overview:index")):
            response = client.get(path)
            assert response.status_code == 503
            assert "The database cannot be reached" in response.content.decode()
            assert response["Retry-After"] == "5"

    def test_gives_one_line_of_text_for_htmx(self, signed_in, lose_database):
        client, page = signed_in
        lose_database()

        response = client.get(page, headers={"HX-Request": "true"})

        assert (response.status_code, response["Content-Type"]) == (
            503,
            "text/plain; charset=utf-8",
        )
        assert response.content.startswith(b"The database cannot be reached")

    def test_is_told_apart_from_a_bug(self, signed_in, monkeypatch):
        client, page = signed_in
        monkeypatch.setattr("django.contrib.auth.get_user", lambda request: 1 / 0)

        response = client.get(page)

        assert response.status_code == 500
        assert "Something went wrong" in response.content.decode()
