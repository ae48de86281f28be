"""Agora Chat's calls about users: register, look up, change, delete."""

from typing import Any

from ninja import Body, Router

from api import leases
from api.agora import auth, naming, paging, responses, schemas, wire
from api.agora.auth import Caller, Request
from api.agora.envelope import app_uri, entities, entity, envelope
from api.agora.settings import VENDOR_NAME, settings_of
from api.agora.wire import Refused
from applications import environments
from applications.keyset import Keyset
from moderation import listed_users
from users import deletion, passwords, registration
from users.models import AppUser
from users.spelling import TakenInAnotherCase

router = Router(tags=["Users"], exclude_unset=True)
OLDEST_FIRST = Keyset("registered_at", "id")


@router.post("users", auth=auth.registrar, response=responses.Registered)
def register(request: Request, body: Body[schemas.Registration]) -> Any:
    """Register one user, or a batch of up to 60; in a batch, existing users are reported."""
    caller = request.auth
    wanted = body if isinstance(body, list) else [body]
    created, failures = register_new(caller, wanted)
    return envelope(
        request,
        "post",
        entities=entities(caller, created),
        data=failures if isinstance(body, list) else None,
    )


def register_new(
    caller: Caller, wanted: list[schemas.NewUser]
) -> tuple[list[AppUser], list[dict[str, str]]]:
    """The created users, and the failures of the others. Raises `Refused` if none is created."""
    by_name = _by_name(wanted)
    if settings_of(caller.environment).require_password and any(
        new.password is None for new in wanted
    ):
        raise Refused(wire.PASSWORD_REQUIRED)
    _ignore_case(caller)
    disabled: list[str] = []
    respelled: list[str] = []
    created: list[AppUser] = []
    while left := [new for name, new in by_name.items() if name not in {*disabled, *respelled}]:
        try:
            created = registration.register_new(
                environment=caller.environment,
                users=[_unsaved(new) for new in left],
                by=caller.actor,
                lease=leases.requested(caller.call),
                now=caller.now,
            )
            break
        except registration.UserDeactivated as error:
            disabled += error.user_ids
        except TakenInAnotherCase as error:
            respelled += error.user_ids
    done = {user.user_id for user in created}
    taken = [name for name in by_name if name not in done and name not in disabled]
    if not created and taken:
        raise Refused(wire.TAKEN, application=caller.application_uuid, name=taken[0])
    if not created:
        raise Refused(wire.DISABLED)
    reasons = {
        **{name: f"the {name} already exists" for name in taken},
        **{name: f"the {name} is disabled" for name in disabled},
    }
    failures = [
        {"username": name, "registerUserFailReason": reasons[name]}
        for name in by_name
        if name in reasons
    ]
    return created, failures


def register_without_password(caller: Caller, username: str) -> None:
    """Register a user on the app's request unless the user exists. Raises `Refused`."""
    _ignore_case(caller)
    user = AppUser(user_id=schemas.legal_username(username))
    try:
        registration.register_new(
            environment=caller.environment,
            users=[user],
            by=caller.actor,
            lease=leases.requested(caller.call),
            now=caller.now,
        )
    except TakenInAnotherCase:
        return


def _ignore_case(caller: Caller) -> None:
    """Makes the environment ignore the case of ids from now on, through every door: this door could
    not tell two spellings apart.
    """
    if not caller.environment.ids_ignore_case:
        environments.change(
            environment=caller.environment,
            ids_ignore_case=True,
            by=caller.actor,
            now=caller.now,
        )
        caller.environment.ids_ignore_case = True


def _by_name(wanted: list[schemas.NewUser]) -> dict[str, schemas.NewUser]:
    by_name: dict[str, schemas.NewUser] = {}
    for new in wanted:
        if by_name.setdefault(new.username, new).password != new.password:
            raise Refused(wire.TWO_PASSWORDS, name=new.username)
    return by_name


def _unsaved(new: schemas.NewUser) -> AppUser:
    return AppUser(
        user_id=new.username,
        name=new.nickname or "",
        password=passwords.encode(new.password) if new.password is not None else "",
    )


@router.get("users", response=responses.Page)
def list_users(request: Request, limit: paging.PageSize = None, cursor: str = "") -> Any:
    """A page of users, the first registered first."""
    caller = request.auth
    size = paging.page_size(limit)
    place = paging.decrypt_cursor(caller.environment, cursor)
    found = listed_users.oldest_first(
        environment=caller.environment,
        after=OLDEST_FIRST.place(place, AppUser) if place else None,
        limit=size + 1,
    )
    users = found[:size]
    following = OLDEST_FIRST.cursor_after(users[-1]) if len(found) > size else None
    return envelope(
        request,
        "get",
        entities=[entity(user, user.ban, caller.now) for user in users],
        cursor=paging.encrypt_cursor(caller.environment, following),
        count=len(users),
    )


@router.delete("users", response=responses.Deleted)
def delete_oldest(request: Request, limit: paging.PageSize = None, cursor: str = "") -> Any:
    """Delete the `limit` users who registered first."""
    caller = request.auth
    page = deletion.delete_oldest(
        environment=caller.environment,
        cursor=paging.decrypt_cursor(caller.environment, cursor),
        size=paging.number_to_delete(limit),
        by=caller.actor,
        now=caller.now,
    )
    return envelope(
        request,
        "delete",
        entities=entities(caller, page.rows),
        cursor=paging.encrypt_cursor(caller.environment, page.next),
    )


@router.get("users/{username}", auth=auth.own_user, response=responses.FoundUser)
def get_user(request: Request, username: str) -> Any:
    """One user, by name or UUID."""
    user = naming.find(request.auth.environment, username)
    return envelope(request, "get", entities=entities(request.auth, [user]), count=1)


@router.delete("users/{username}", response=responses.Users)
def delete_user(request: Request, username: str) -> Any:
    """Delete a user and all their data."""
    caller = request.auth
    user = naming.find(caller.environment, username)
    deletion.delete(
        environment=caller.environment, user_ids=[user.user_id], by=caller.actor, now=caller.now
    )
    return envelope(
        request, "delete", uri=app_uri(request, "users"), entities=entities(caller, [user])
    )


@router.api_operation(
    ["PUT", "POST"], "users/{username}/password", auth=auth.own_user, response=responses.WithAction
)
def change_password(request: Request, username: str, body: Body[schemas.ChangePassword]) -> Any:
    """Change a password, invalidate the user's tokens and close their connections. With a user's
    token, the old password is required.
    """
    caller = request.auth
    user = naming.find(caller.environment, username, unknown=wire.NO_USER_ENTITY)
    if caller.user and body.oldpassword is None:
        raise Refused(wire.OLD_PASSWORD_REQUIRED)
    if caller.user and not passwords.is_correct(user, body.oldpassword or ""):
        raise Refused(wire.GRANT_WRONG_PASSWORD)
    passwords.change(
        environment=caller.environment,
        user_id=user.user_id,
        password=body.newpassword,
        by=caller.actor,
        now=caller.now,
    )
    return envelope(request, "set user password")


@router.put("", response=responses.RegistrationModeSet)
def registration_mode(request: Request, body: Body[schemas.RegistrationMode]) -> Any:
    """Set whether users may register themselves without an app token."""
    caller = request.auth
    environments.change(
        environment=caller.environment,
        vendor_settings={VENDOR_NAME: {"open_registration": body.allow_open_registration}},
        by=caller.actor,
        now=caller.now,
    )
    return envelope(
        request,
        "put",
        path="/",
        data={"allow_open_registration": body.allow_open_registration},
    )
