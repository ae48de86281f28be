"""Agora Chat's calls about contacts, which are friends here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ninja import Body, Router

from api.agora import auth, naming, paging, responses, schemas, wire
from api.agora.auth import Request
from api.agora.envelope import app_uri, entities, envelope
from api.agora.relations import relations
from api.agora.wire import Refused
from applications.models import Environment
from users import friends, lookup
from users.models import AppUser

router = Router(tags=["Contacts"], exclude_unset=True)


@router.post(
    "users/{username}/contacts/users/{friend}", auth=auth.own_user, response=responses.Users
)
def add_contact(request: Request, username: str, friend: str) -> Any:
    """Make two users contacts. With a user's token, only if the other user accepts everybody."""
    caller = request.auth
    user, other = _both(request, username, friend)
    with _invited_by(user):
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
    "users/{username}/contacts/users/{friend}", auth=auth.own_user, response=responses.Users
)
def remove_contact(request: Request, username: str, friend: str) -> Any:
    """End a contact on both sides. If there is none, that is not an error."""
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
    found = lookup.by_names(request.auth.environment, [username, friend])
    if username not in found or friend not in found:
        raise Refused(wire.NO_USER)
    return found[username], found[friend]


@contextmanager
def _invited_by(inviter: AppUser) -> Iterator[None]:
    """Raises `Refused` with the text that says which of the two has too many contacts."""
    try:
        yield
    except friends.TooManyFriends as error:
        is_inviter = error.user_id == inviter.user_id
        raise Refused(wire.INVITER_FULL if is_inviter else wire.INVITEE_FULL) from None


def _about(request: Request, action: str, user: AppUser, other: AppUser) -> dict[str, Any]:
    place = ("users", str(user.uuid), "contacts")
    return envelope(
        request,
        action,
        path="/" + "/".join(place),
        uri=app_uri(request, *place),
        entities=entities(request.auth, [other]),
    )


# --- Requests -----------------------------------------------------------------------------------
@router.post("users/{username}/contacts/apply", auth=auth.own_user, response=responses.Applied)
def apply(request: Request, username: str, body: Body[schemas.ContactRequest]) -> Any:
    """Ask a user to become a contact, even one who accepts everybody. If that user has asked too,
    they become contacts at once.
    """
    caller = request.auth
    [friend] = body.usernames
    user, other = _both(request, username, friend)
    with _invited_by(user):
        friends.add(
            environment=caller.environment,
            user_id=user.user_id,
            friend_id=other.user_id,
            always_ask=True,
            message=body.reason,
            by=caller.actor,
            now=caller.now,
        )
    return _decision_envelope(request, user, "apply", applyContacts=[other.user_id])


@router.post(
    "users/{username}/contacts/accept/users/{friend}",
    auth=auth.own_user,
    response=responses.Accepted,
)
def accept(request: Request, username: str, friend: str) -> Any:
    """Accept a user's request. If there is none, nothing changes."""
    user, other = _decide(request, username, friend, accept=True)
    place = f"accept/users/{other.user_id}"
    return _decision_envelope(request, user, place, acceptContacts=[other.user_id])


@router.post(
    "users/{username}/contacts/decline/users/{friend}",
    auth=auth.own_user,
    response=responses.Declined,
)
def decline(request: Request, username: str, friend: str) -> Any:
    """Decline a user's request. If there is none, nothing changes."""
    user, other = _decide(request, username, friend, accept=False)
    place = f"decline/users/{other.user_id}"
    return _decision_envelope(request, user, place, declineContacts=[other.user_id])


def _decide(
    request: Request, username: str, friend: str, *, accept: bool
) -> tuple[AppUser, AppUser]:
    caller = request.auth
    user, other = _both(request, username, friend)
    try:
        with _invited_by(other):
            friends.answer(
                environment=caller.environment,
                user_id=user.user_id,
                sender_id=other.user_id,
                accept=accept,
                by=caller.actor,
                now=caller.now,
            )
    except friends.NoSuchRequest:
        return user, other
    return user, other


def _decision_envelope(
    request: Request, user: AppUser, place: str, **data: list[str]
) -> dict[str, Any]:
    return envelope(request, "post", path=f"/users/{user.user_id}/contacts/{place}", data=data)


# --- Lists --------------------------------------------------------------------------------------
@router.get("users/{username}/contacts/users", auth=auth.own_user, response=responses.AllContacts)
def contacts(request: Request, username: str, needReturnRemark: schemas.Flag = False) -> Any:
    """All contacts, the latest first; with remarks on request."""
    caller = request.auth
    page = friends.page(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        size=friends.MAX_FRIENDS,
        newest_first=True,
    )
    names = [friendship.friend_id for friendship in page.rows]
    remarks = [
        {"username": friendship.friend_id, "remark": friendship.alias} for friendship in page.rows
    ]
    return envelope(
        request,
        "get",
        entities=remarks if needReturnRemark else [],
        data=names,
        count=len(names),
    )


@router.get(
    "user/{username}/contacts",
    auth=auth.own_user,
    response=responses.Contacts,
    operation_id="contacts_page_of_user",
)
@router.get("users/{username}/contacts", auth=auth.own_user, response=responses.Contacts)
def contacts_page(
    request: Request,
    username: str,
    limit: paging.ShortPageSize = None,
    cursor: str = "",
    needReturnRemark: schemas.Flag = False,
) -> Any:
    """A page of contacts, the latest first. The cursor is in two places: clients differ."""
    caller = request.auth
    size = paging.page_size(limit)
    if size > paging.MAX_SHORT_PAGE:
        raise Refused(wire.PAGE_TOO_LARGE, most=paging.MAX_SHORT_PAGE)
    page = friends.page(
        environment=caller.environment,
        user_id=naming.find(caller.environment, username).user_id,
        cursor=paging.decrypt_cursor(caller.environment, cursor),
        size=size,
        newest_first=True,
    )
    next_page = paging.encrypt_cursor(caller.environment, page.next)
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
        data={"contacts": found, **({"cursor": next_page} if next_page else {})},
        cursor=next_page,
        count=len(found),
    )


@router.put(
    "user/{username}/contacts/users/{friend}",
    auth=auth.own_user,
    response=responses.Done,
    operation_id="describe_contact_of_user",
)
@router.put("users/{username}/contacts/users/{friend}", auth=auth.own_user, response=responses.Done)
def describe_contact(
    request: Request, username: str, friend: str, body: Body[schemas.Remark]
) -> Any:
    """Set a user's remark about a contact; an empty one removes it."""
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


@router.post("users/{username}/contacts/import", response=responses.ContactsImported)
def import_contacts(request: Request, username: str, body: Body[schemas.ImportContacts]) -> Any:
    """Make each of these users a contact; the response lists the names by result."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    found = lookup.by_names(caller.environment, body.usernames)
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


@router.post("contacts/check", response=responses.Relations)
def check_contacts(request: Request, body: Body[schemas.CheckList]) -> Any:
    """Whether each of these is the user's contact."""
    return relations(request, body, _friends_among, ("friend", "not_friend"))


def _friends_among(environment: Environment, user_id: str, others: list[str]) -> set[str]:
    return friends.friends_among(environment=environment, user_id=user_id, others=others)
