"""Agora Chat's calls about contacts, which are friends here."""

from typing import Any

from ninja import Body, Router

from api.agora import answers, auth, naming, schemas, wire
from api.agora.auth import Request
from api.agora.envelope import entities, envelope, uri
from api.agora.wire import Refused
from users import friends
from users.models import AppUser

router = Router(tags=["Contacts"], exclude_unset=True)


@router.post("users/{username}/contacts/users/{friend}", auth=auth.own_user, response=answers.Users)
def add_contact(request: Request, username: str, friend: str) -> Any:
    """The app makes two users friends; a user may where the other lets everybody."""
    caller = request.auth
    user, other = _both(request, username, friend)
    friends.add(
        environment=caller.environment,
        user_id=user.user_id,
        friend_id=other.user_id,
        direct=caller.user is None,
        by=caller.actor,
        now=caller.now,
    )
    return _about(request, "post", user, other)


@router.delete(
    "users/{username}/contacts/users/{friend}", auth=auth.own_user, response=answers.Users
)
def remove_contact(request: Request, username: str, friend: str) -> Any:
    """Not to be friends is no error."""
    caller = request.auth
    user, other = _both(request, username, friend)
    friends.remove(
        environment=caller.environment,
        user_id=user.user_id,
        friend_ids=[other.user_id],
        by=caller.actor,
        now=caller.now,
    )
    return _about(request, "delete", user, other)


def _both(request: Request, username: str, friend: str) -> tuple[AppUser, AppUser]:
    found = naming.find_several(request.auth.environment, [username, friend])
    if username not in found or friend not in found:
        raise Refused(wire.NO_USER)
    return found[username], found[friend]


def _about(request: Request, action: str, user: AppUser, other: AppUser) -> dict[str, Any]:
    place = ("users", str(user.uuid), "contacts")
    return envelope(
        request,
        action,
        path="/" + "/".join(place),
        uri=uri(request, *place),
        entities=entities(request.auth, [other]),
    )


@router.get(
    "users/{username}/contacts/users",
    auth=auth.own_user,
    response=answers.Counted[list[str]],
)
def contacts(request: Request, username: str) -> Any:
    """All at once, the latest first."""
    caller = request.auth
    page = friends.page(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        size=friends.MAX_FRIENDS,
        newest_first=True,
    )
    names = [friendship.friend_id for friendship in page.rows]
    return envelope(request, "get", entities=[], data=names, count=len(names))


@router.get(
    "user/{username}/contacts",
    auth=auth.own_user,
    response=answers.Contacts,
    operation_id="contacts_page_of_user",
)
@router.get("users/{username}/contacts", auth=auth.own_user, response=answers.Contacts)
def contacts_page(
    request: Request,
    username: str,
    limit: schemas.ShortPageSize = None,
    cursor: str = "",
    needReturnRemark: bool = False,
) -> Any:
    """A page of contacts, the latest first. Clients look for the cursor in either place."""
    caller = request.auth
    size = schemas.page_size(limit)
    if size > schemas.MAX_SHORT_PAGE:
        raise Refused(wire.PAGE_TOO_LARGE, most=schemas.MAX_SHORT_PAGE)
    page = friends.page(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        cursor=cursor,
        size=size,
        newest_first=True,
    )
    found = [
        {
            "username": friendship.friend_id,
            **({"remark": friendship.alias or None} if needReturnRemark else {}),
        }
        for friendship in page.rows
    ]
    return envelope(
        request,
        "get",
        entities=[],
        data={"contacts": found, **({"cursor": page.next} if page.next else {})},
        cursor=page.next,
        count=len(found),
    )


@router.put(
    "user/{username}/contacts/users/{friend}",
    auth=auth.own_user,
    response=answers.Done,
    operation_id="describe_contact_of_user",
)
@router.put("users/{username}/contacts/users/{friend}", auth=auth.own_user, response=answers.Done)
def describe_contact(
    request: Request, username: str, friend: str, body: Body[schemas.Remark]
) -> Any:
    """What the user calls a contact; empty clears it."""
    caller = request.auth
    user, other = _both(request, username, friend)
    friends.describe(
        environment=caller.environment,
        user_id=user.user_id,
        friend_id=other.user_id,
        alias=body.remark,
        by=caller.actor,
        now=caller.now,
    )
    return envelope(request, "put", status="ok")


@router.post("users/{username}/contacts/import", response=answers.ContactsImported)
def import_contacts(request: Request, username: str, body: Body[schemas.Imported]) -> Any:
    """Each by itself: what became of whom is in the answer."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    found = naming.find_several(caller.environment, body.usernames)
    outcome: dict[str, list[str]] = {
        "success": [],
        "NotExistFailed": [name for name in body.usernames if name not in found],
        "maxLimitFailed": [],
        "UnKnowFailed": [],
    }
    for name, other in found.items():
        outcome[_imported(request, user, other)].append(name)
    return envelope(request, "post", status="ok", data=outcome)


def _imported(request: Request, user: AppUser, other: AppUser) -> str:
    caller = request.auth
    try:
        friends.add(
            environment=caller.environment,
            user_id=user.user_id,
            friend_id=other.user_id,
            direct=True,
            by=caller.actor,
            now=caller.now,
        )
    except friends.TooManyFriends:
        return "maxLimitFailed"
    except friends.BefriendsOneself:
        return "UnKnowFailed"
    return "success"
