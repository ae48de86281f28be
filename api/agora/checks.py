"""Easemob's two calls that look for names on a user's lists."""

from collections.abc import Callable
from typing import Any

from ninja import Body, Router

from api.agora import answers, naming, schemas
from api.agora.auth import Request
from api.agora.envelope import envelope
from applications.models import Environment
from moderation.lists import blocklist
from users import friends

router = Router(tags=["Checks"], exclude_unset=True)


@router.post("contacts/check", response=answers.Relations)
def check_contacts(request: Request, body: Body[schemas.Check]) -> Any:
    """Who of these is the user's contact?"""
    return _relations(request, body, _friends_among, ("friend", "not_friend"))


@router.post("blocks/check", response=answers.Relations)
def check_blocked(request: Request, body: Body[schemas.Check]) -> Any:
    """Who of these is on the user's blocklist?"""
    return _relations(request, body, _blocked_among, ("blacklist", "not_blacklist"))


def _friends_among(environment: Environment, user_id: str, others: list[str]) -> set[str]:
    return friends.friends_among(environment=environment, user_id=user_id, others=others)


def _blocked_among(environment: Environment, user_id: str, others: list[str]) -> set[str]:
    return blocklist.among(environment=environment, owner_id=user_id, others=others)


def _relations(
    request: Request,
    body: schemas.Check,
    among: Callable[[Environment, str, list[str]], set[str]],
    words: tuple[str, str],
) -> dict[str, Any]:
    """A line for each name, as it was asked for. An unknown one is on no list; an unknown user has
    none.
    """
    environment = request.auth.environment
    ids = {
        name: user.user_id
        for name, user in naming.find_several(
            environment, [body.username, *body.check_list]
        ).items()
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
