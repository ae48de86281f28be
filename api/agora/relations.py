"""Easemob's two calls that check which names are on a user's contact list or blocklist."""

from collections.abc import Callable
from typing import Any

from api.agora import schemas
from api.agora.auth import Request
from api.agora.envelope import envelope
from applications.models import Environment
from users import lookup


def relations(
    request: Request,
    body: schemas.CheckList,
    among: Callable[[Environment, str, list[str]], set[str]],
    words: tuple[str, str],
) -> dict[str, Any]:
    """The response: the relation of each name, as it was sent. An unknown name is on no list; an
    unknown user's list is empty. `words` are the relations of names on the list and not on it.
    """
    environment = request.auth.environment
    ids = {
        name: user.user_id
        for name, user in lookup.by_names(environment, [body.username, *body.check_list]).items()
    }
    related: set[str] = set()
    if body.username in ids:
        related = among(environment, ids[body.username], list(ids.values()))
    yes, no = words
    lines = [
        {"username": name, "relation": yes if ids.get(name) in related else no}
        for name in body.check_list
    ]
    return envelope(request, "post", path="/contacts/check", entities=lines)
