"""The calls that are measured: as bytes for the load generator, and through Django's test client,
which shows their SQL.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone

from api.agora import paging
from api.agora.users import OLDEST_FIRST
from applications.audit import Actor
from applications.environments import NewApplication
from moderation import lists
from users import registration
from users.admission import MOST_AT_ONCE
from users.models import AppUser

HOST = "127.0.0.1"
KNOWN = (10_000, 19_999)  # numbers of registered users with the name Ada
OWNER = f"known-{KNOWN[0]}"  # of a full blocklist
PAGE = 50
# A number as long as the new numbers of the load generator.
FRESH = 1_000_000_000_000_000


@cache
def _client() -> Client:
    return Client()


@dataclass(frozen=True)
class Call:
    """One call, with at most one `%d` in its path or body."""

    method: str
    path: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def wire(self, number: int) -> str:
        """The request as it is sent. `number` has as many digits as those that replace `%d`."""
        body = self.body % number if "%d" in self.body else self.body
        headers = {
            "Host": HOST,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": len(body),
            **self.headers,
        }
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines) + "\r\n\r\n" + self.body

    def make(self, number: int) -> str:
        """Make the call in this process; return the body of the response."""
        path, body = (text % number if "%d" in text else text for text in (self.path, self.body))
        answer = _client().generic(
            self.method,
            path,
            body,
            content_type="application/x-www-form-urlencoded",
            headers=dict(self.headers),
        )
        text = answer.content.decode()
        if answer.status_code != 200:
            raise SystemExit(f"{self.method} {path}: {answer.status_code} {text}")
        return text


@dataclass(frozen=True)
class Case:
    """Calls that are measured together. `numbers` as in `load.Load`."""

    name: str
    calls: Sequence[Call]
    numbers: tuple[int, int] | None = None

    @property
    def sample(self) -> int:
        return self.numbers[0] if self.numbers else FRESH


def healthz() -> Case:
    """Only the web server and the framework."""
    return Case("healthz", [Call("GET", "/healthz")])


def cases(app: NewApplication, *, bans: int) -> list[Case]:
    """The cases for the application's production environment, which has this number of bans and the
    data of `prepare`.
    """
    environment = app.environments["production"]
    secret = app.secret_texts["production"]

    def signed(path: str, **parameters: object) -> Call:
        signature = hashlib.sha1((secret + "1" + "2").encode(), usedforsecurity=False).hexdigest()
        headers = {
            "App-Key": environment.app_key,
            "Nonce": "1",
            "Timestamp": "2",
            "Signature": signature,
        }
        return Call("POST", f"/{path}.json", urlencode(parameters, safe="%"), headers)

    place = f"/{app.application.org_name}/{environment.kind}"
    credentials = {
        "grant_type": "client_credentials",
        "client_id": environment.app_key,
        "client_secret": secret,
    }
    token = json.loads(Call("POST", f"{place}/token", json.dumps(credentials)).make(0))
    authorized = {"Authorization": f"Bearer {token['access_token']}"}

    late = timezone.now() - timedelta(days=1)
    everyone = AppUser.objects.in_environment(environment)
    last = OLDEST_FIRST.page(everyone.filter(registered_at__gt=late), size=1).next
    cursor = paging.encrypt_cursor(environment, last)
    token_of_list = lists.blocklist.page(
        environment=environment, owner_id=OWNER, size=lists.MAX_ENTRIES - PAGE
    ).next
    return [
        Case("register", [signed("user/getToken", userId="new-%d", name="Ada")]),
        Case(
            "token of a known user", [signed("user/getToken", userId="known-%d", name="Ada")], KNOWN
        ),
        Case(
            "ban, unban",
            [
                signed("user/block", userId="new-%d", minute=60),
                signed("user/unblock", userId="new-%d"),
            ],
        ),
        Case("banned, first page", [signed("user/block/query", page=1, size=PAGE)]),
        Case("banned, last page", [signed("user/block/query", page=bans // PAGE, size=PAGE)]),
        Case(
            "users, first page",
            [Call("GET", f"{place}/users?limit={PAGE}", headers=authorized)],
        ),
        Case(
            "users, at the end",
            [Call("GET", f"{place}/users?limit={PAGE}&cursor={cursor}", headers=authorized)],
        ),
        Case("blocklist, first page", [signed("user/blacklist/query", userId=OWNER, size=PAGE)]),
        Case(
            "blocklist, last page",
            [signed("user/blacklist/query", userId=OWNER, size=PAGE, pageToken=token_of_list)],
        ),
        Case("online?", [signed("user/checkOnline", userId="known-%d")], KNOWN),
    ]


def prepare(app: NewApplication) -> None:
    environment, now = app.environments["production"], timezone.now()
    for first in range(KNOWN[0], KNOWN[1] + 1, MOST_AT_ONCE):
        registration.register_new(
            environment=environment,
            now=now,
            users=[
                AppUser(user_id=f"known-{number}", name="Ada", registered_at=now)
                for number in range(first, min(first + MOST_AT_ONCE, KNOWN[1] + 1))
            ],
        )
    lists.blocklist.add(
        environment=environment,
        owner_id=OWNER,
        listed_ids=[f"listed-{number}" for number in range(lists.MAX_ENTRIES)],
        by=Actor.system("bench"),
        now=now,
    )
