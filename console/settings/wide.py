"""Settings that many people notice at once. Before they change, the page shows figures and asks for
a typed name.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from applications import request_log
from applications.counting import count
from applications.models import Application, Environment
from applications.vendors import vendors
from console.templatetags.words import estimate, said
from users import presence
from users.models import AppUser, Friendship


@dataclass(frozen=True)
class Wide:
    """`facts`: what the change touches, in sentences. `phrase`: what must be typed."""

    title: str
    facts: list[str]
    phrase: str


def friends_only(
    environment: Environment, changes: Mapping[str, Any], *, now: datetime
) -> Wide | None:
    """None in development, and unless these changes switch it on."""
    if environment.is_development or environment.friends_only or not changes["friends_only"]:
        return None
    online = presence.online_count(environment=environment, now=now)
    users = count(AppUser.objects.filter(environment=environment))
    friends = count(Friendship.objects.filter(environment=environment))
    return Wide(
        gettext("Only friends will be able to write to each other"),
        [
            gettext("Connected now: {online} of {users} registered users.").format(
                online=estimate(online), users=estimate(users)
            ),
            gettext(
                "Entries in their friend lists: {number}. Every message to anybody else is "
                "refused from now on."
            ).format(number=estimate(friends)),
        ],
        environment.full_name,
    )


def closed_doors(application: Application, wanted: Collection[str]) -> Wide | None:
    """None if no app server has lately called a vendor that these vendors leave out."""
    closing = {each.name: each.title for each in vendors() if each.name in application.vendors}
    for name in wanted:
        closing.pop(name, None)
    facts = list(_calls_lately(application, closing)) if closing else []
    return Wide(gettext("App servers use these calls"), facts, application.name) if facts else None


def _calls_lately(application: Application, closing: Mapping[str, str]) -> Iterator[str]:
    for environment in application.environments.order_by("kind"):
        lately = request_log.lately(environment)
        if not lately.is_known:
            yield gettext("Redis is down: nobody knows who calls {kind}.").format(
                kind=said(environment.kind)
            )
        calls = Counter(call.vendor for call in lately.calls)
        for name, title in closing.items():
            if number := calls[name]:
                yield (
                    gettext(
                        "{number:,} of the last {count:,} calls to {kind} were {title}'s. They "
                        "will be refused."
                    ).format(
                        number=number,
                        count=len(lately.calls),
                        kind=said(environment.kind),
                        title=title,
                    )
                )


def is_confirmed(request: HttpRequest, wide: Wide) -> bool:
    return request.POST.get("confirm", "").strip() == wide.phrase
