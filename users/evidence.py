"""The rules about tokens and registration, each with its evidence. See `applications.evidence`.

Invariant: the order is the one in which `gateway.admission` asks, and a token is refused here
exactly if `users.tokens` refuses it.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from applications.audit_types import AuditType
from applications.evidence import State, Step, act, environment_step
from applications.models import AuditEvent, Environment
from users import identity, presence, quota, tokens
from users.fields import in_any_case
from users.models import AppUser, Connection, DeactivatedUser
from users.tokens import Claims

GOES = (AuditType.USER_DELETED, AuditType.USER_DEACTIVATED)


def last_line(
    environment: Environment, user_id: str, *types: AuditType, since: datetime | None = None
) -> AuditEvent | None:
    """The newest audit line of one of these types about the id."""
    lines = AuditEvent.objects.filter(environment=environment, type__in=types).about(user_id)
    if since is not None:
        lines = lines.filter(at__gte=since)
    return lines.order_by("-pk").first()


def token_steps(
    *, environment: Environment, token: str, nameable: Collection[int], now: datetime
) -> tuple[list[Step], Claims | None]:
    """The rules about a token, and its claims if it belongs to a user of this environment.
    `nameable` are the applications that the caller may know of.
    """
    try:
        claims = tokens.decode(token)
    except tokens.TokenUnknown:
        return [
            Step(
                rule="readable",
                title="Signed by this installation",
                state=State.REFUSES,
                explanation="This is not an access token of this installation, or it is damaged.",
                mend="new_token",
            )
        ], None
    about = {"user_id": claims.user_id}
    owner = (
        Environment.objects.select_related("application").filter(pk=claims.environment_id).first()
    )
    steps = [
        Step(
            rule="readable",
            title="Signed by this installation",
            state=State.HOLDS,
            explanation="The token is undamaged.",
            facts={"issued": claims.issued_at},
        ),
        _lifetime(claims, now),
        environment_step(environment, owner, nameable=nameable, noun="access token"),
    ]
    if steps[-1].state != State.HOLDS:
        return steps, None
    user = AppUser.objects.filter(pk=claims.life, environment=environment).first()
    steps.append(_life(environment, claims, user, about))
    if user is not None:
        steps.append(_revoked(environment, claims, user, about))
    return steps, claims


def _lifetime(claims: Claims, now: datetime) -> Step:
    ends = claims.expires_at
    over = ends is not None and ends <= now
    return Step(
        rule="lifetime",
        title="Not expired",
        state=State.REFUSES if over else State.HOLDS,
        explanation="Its lifetime is over."
        if over
        else "It has not expired."
        if ends
        else "It does not expire by itself.",
        facts={"expired" if over else "expires": ends} if ends else {},
        mend="new_token" if over else "",
        about={"user_id": claims.user_id},
    )


def _life(
    environment: Environment, claims: Claims, user: AppUser | None, about: dict[str, Any]
) -> Step:
    if user is not None:
        return Step(
            rule="life",
            title="Of the user's present registration",
            state=State.HOLDS,
            explanation=f"It was issued to {claims.user_id} as registered now.",
            facts={"registered": user.registered_at},
        )
    gone = last_line(environment, claims.user_id, *GOES, since=claims.issued_at)
    word = "deactivated" if gone and gone.type == AuditType.USER_DEACTIVATED else "deleted"
    return Step(
        rule="life",
        title="Of the user's present registration",
        state=State.REFUSES,
        explanation=f"It was issued to an earlier registration of {claims.user_id}, who was {word}"
        " since. It stays invalid even if the id is registered again.",
        facts=act(gone),
        mend="new_token",
        about=about,
    )


def _revocation(
    environment: Environment, user: AppUser
) -> tuple[datetime | None, str, dict[str, Any]]:
    """The moment from which issued tokens of the user are valid, whose tokens were revoked, and by
    which act.
    """
    own, everybodys = user.tokens_valid_from, environment.tokens_valid_from
    if own is None and everybodys is None:
        return None, "", {}
    if everybodys is None or (own is not None and own >= everybodys):
        since, whose = own, "this user"
        line = last_line(environment, user.user_id, AuditType.USER_TOKENS_EXPIRED)
    else:
        since, whose = everybodys, "everybody here"
        line = last_line(environment, "", AuditType.TOKENS_REVOKED)
    return since, whose, {"valid if issued from": since, **act(line)}


def _revoked(
    environment: Environment, claims: Claims, user: AppUser, about: dict[str, Any]
) -> Step:
    since, whose, facts = _revocation(environment, user)
    revoked = since is not None and claims.issued_at < since
    age = "older" if revoked else "newer"
    return Step(
        rule="revoked",
        title="Not revoked",
        state=State.REFUSES if revoked else State.HOLDS,
        explanation=f"Older tokens of {whose} were revoked. This one is {age}."
        if since
        else "No token of this user has been revoked.",
        facts=facts,
        mend="new_token" if revoked else "",
        about=about,
    )


def registered_step(
    *, environment: Environment, user_id: str, user: AppUser | None, deactivated: bool
) -> Step:
    """Whether the id is registered here; if not, what became of it."""
    about = {"user_id": user_id}
    if user is not None:
        return Step(
            rule="not_registered",
            title="Registered here",
            state=State.HOLDS,
            explanation=f"{user_id} is registered in {environment.full_name}.",
            facts={
                "registered": user.registered_at,
                "last seen": user.last_seen_at or "never",
                **({"name": user.name} if user.name else {}),
            },
        )
    step = partial(Step, rule="not_registered", title="Registered here", about=about)
    if deactivated:
        return step(state=State.REFUSES, explanation="The id is deactivated; see above.")
    gone = last_line(environment, user_id, *GOES)
    was = f"{user_id} was {gone.type.partition('.')[2]} here" if gone else ""
    other_spelling = (
        AppUser.objects.filter(in_any_case([user_id]), environment=environment)
        .values_list("user_id", flat=True)
        .first()
    )
    siblings = Environment.objects.filter(
        application=environment.application_id, users__user_id=user_id
    ).select_related("application")
    elsewhere = siblings.exclude(pk=environment.pk).first()
    facts = act(gone)
    if other_spelling:
        facts["registered spelling"] = other_spelling
    if elsewhere:
        facts["registered in"] = elsewhere.full_name
        about |= {"org_name": elsewhere.application.org_name, "kind": elsewhere.kind}
    return step(
        state=State.REFUSES,
        explanation=f"{was}, and is not registered now."
        if was
        else f"{user_id} is not registered in {environment.full_name}.",
        facts=facts,
        mend="ask_there" if elsewhere else "register",
    )


def place_step(*, environment: Environment, now: datetime) -> Step:
    """Whether the id could be registered: the quota."""
    usage = quota.usage(environment=environment, now=now)
    if usage.limit is None:
        return Step(
            rule="quota",
            title="A place is free",
            state=State.RESTS,
            explanation=f"The plan {environment.plan} has no limit.",
        )
    full = usage.free == 0
    return Step(
        rule="quota",
        title="A place is free",
        state=State.REFUSES if full else State.HOLDS,
        explanation=f"{usage.users} of {usage.limit:,} places are taken."
        + (" Nobody can be registered." if full else ""),
        mend="free_places" if full else "",
    )


def deactivated_step(tombstone: DeactivatedUser | None, user_id: str) -> Step:
    """Whether the id is deactivated, and by which call."""
    step = partial(Step, rule="deactivated", title="Not deactivated")
    if tombstone is None:
        return step(state=State.HOLDS, explanation="The id is not deactivated.")
    return step(
        state=State.REFUSES,
        explanation=f"The id {user_id} is deactivated. Your app server reactivates it.",
        facts={
            "at": tombstone.deactivated_at,
            "by": tombstone.deactivated_by,
            "via": tombstone.via,
        },
        mend="reactivate",
        about={"user_id": user_id},
    )


def any_token_step(*, environment: Environment, user: AppUser) -> Step:
    """Which tokens of a user are valid, for an answer without a token."""
    since, whose, facts = _revocation(environment, user)
    words = f"Older tokens of {whose} were revoked." if since else "No token has been revoked."
    return Step(
        rule="token",
        title="With a valid token",
        state=State.DEPENDS,
        explanation=f"{words} The client's own token may still be damaged, expired or of another"
        " environment. Paste it above to see.",
        facts=facts,
    )


def connections_step(*, environment: Environment, user_id: str, now: datetime) -> Step:
    """Whether the user may open a further connection."""
    held = Connection.objects.open(now).for_users(environment, [user_id]).count()
    full = held >= presence.MAX_CONNECTIONS
    return Step(
        rule="too_many_connections",
        title="Room for a further connection",
        state=State.REFUSES if full else State.HOLDS,
        explanation=f"{held} of at most {presence.MAX_CONNECTIONS} connections are open.",
        mend="kick" if full else "",
        about={"user_id": user_id},
    )


def is_user_id(text: str) -> bool:
    """Whether the text can be a user id."""
    try:
        identity.check_user_id(text)
    except identity.InvalidUserId:
        return False
    return True
