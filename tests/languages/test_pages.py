"""Pages in Chinese. Vendors' references of their calls (`api_docs`) are in English: programs read
the same documents.
"""

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation

from applications.models import AuditEvent, Role
from tests.console.pages import address
from tests.console.routes import ENVIRONMENT_PAGES, OTHER_PAGE_ARGS, OTHER_PAGES, World, world
from tests.factories import make_account, make_application, make_member
from tests.languages import pages

CHINESE = {"accept-language": "zh-CN,zh;q=0.9"}
IN_ENGLISH = {"api_docs:index", "favicon"}
# Two English words that follow each other, the second without a capital.
ENGLISH = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,}\b")
# Names and what members type: in all languages the same.
ALLOWED = re.compile(
    r"RongCloud callbacks|Nexconn webhooks|(RongCloud|Agora Chat)'s web SDK|Standard Webhooks"
    r"|ban qa-7 for 3 days|app key [0-9a-f]{8}|(nexconn|rongcloud|agora) [a-z/]+|Agora Chat"
    r"|(GET|POST|PUT|DELETE) [a-z][\w/<>]*|(ID|Webhook) [a-z][\w.-]*"
)


@pytest.fixture
def owner(client: Any, db: Any) -> Any:
    """The account of a client that has signed in, owner of the application `.application`."""
    account = make_account(username="grace", is_staff=True, is_superuser=True)
    account.application = make_application()
    make_member(application=account.application, account=account, role=Role.OWNER)
    client.force_login(account)
    return account


def left_in_english(client: Any, urls: dict[str, str]) -> set[tuple[str, str]]:
    """(page, text), of those that answer a GET with a page."""
    found = set()
    for name, url in urls.items():
        response = client.get(url, headers=CHINESE)
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        assert response.headers["Content-Language"] == "zh-Hans"
        html = response.content.decode()
        language, texts = pages.read(html)
        assert language == "zh-Hans" or "<html" not in html, name
        found |= {(name, text) for text in texts if ENGLISH.search(ALLOWED.sub("", text))}
    return found


@pytest.mark.parametrize("kind", ["development", "production"])
def test_no_page_of_an_environment_has_english_left(client: Any, owner: Any, kind: str) -> None:
    here: World = world(owner.application, kind)
    urls = {
        name: here.url(name) for name, page in ENVIRONMENT_PAGES.items() if "GET" in page.methods
    }
    assert left_in_english(client, urls) == set()


def test_no_other_page_has_english_left(client: Any, owner: Any) -> None:
    urls = {
        name: reverse(name, args=OTHER_PAGE_ARGS.get(name, []))
        for name in set(OTHER_PAGES) - IN_ENGLISH
    }
    assert left_in_english(client, urls) == set()


def test_what_a_page_records_is_in_english_and_its_thread_too(client: Any, owner: Any) -> None:
    here: World = world(owner.application, "development")
    impose = address("bans:impose", here.environment)
    form = {"user_ids": "mia", "until": "1h", "reason": ""}
    response = client.post(impose, form, headers=CHINESE | {"hx-request": "true"})
    assert "已封禁 mia" in response.headers["HX-Trigger"].encode().decode("unicode_escape")
    assert translation.get_language() == "en"
    line = AuditEvent.objects.filter(environment=here.environment).latest("pk")
    assert f"{line.via} {line.before} {line.after}".isascii()


class TestTheLanguageOfAPage:
    def test_is_english_unless_the_browser_asks_for_another(self, client: Any, db: Any) -> None:
        for asked in ({}, {"accept-language": "fr"}):
            response = client.get(reverse("account_login"), headers=asked)
            assert response.headers["Content-Language"] == "en"
            assert 'lang="en"' in response.content.decode()

    def test_varies_by_what_it_depends_on(self, client: Any, db: Any) -> None:
        vary = client.get(reverse("account_login")).headers["Vary"]
        assert {"Accept-Language", "Cookie"} <= set(vary.split(", "))

    def test_can_be_chosen_before_signing_in_and_is_kept(self, client: Any, db: Any) -> None:
        sign_in = reverse("account_login")
        assert "简体中文" in client.get(sign_in).content.decode()
        chosen = {"language": "zh-hans"}
        back = client.post(
            reverse("set_language"), chosen, headers={"referer": f"http://testserver{sign_in}"}
        )
        assert back.url.endswith(sign_in)
        page = client.get(sign_in, headers={"accept-language": "en"}).content.decode()
        assert 'lang="zh-Hans"' in page
        assert "登录" in page

    def test_is_chosen_by_a_post_alone(self, client: Any, db: Any) -> None:
        client.get(reverse("set_language"), {"language": "zh-hans"})
        assert 'lang="en"' in client.get(reverse("account_login")).content.decode()
