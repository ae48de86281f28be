"""The rules about tokens and registration, each with its evidence. See `applications.evidence`.

Invariant: the order is the one in which `gateway.admission` asks, and a token is refused here
exactly if `users.tokens` refuses it.
"""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext

from applications.audit_types import AuditType
from applications.evidence import State, Step, act, environment_step
from applications.models import AuditEvent, Environment
from users import identity, tokens
from users.fields import in_any_case
from users.models import AppUser, DeactivatedUser
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
                title=gettext("Signed by this installation"),
                state=State.REFUSES,
                explanation=gettext(
                    "This is not an access token of this installation, or it is damaged."
                ),
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
            title=gettext("Signed by this installation"),
            state=State.HOLDS,
            explanation=gettext("The token is undamaged."),
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
        title=gettext("Not expired"),
        state=State.REFUSES if over else State.HOLDS,
        explanation=gettext("Its lifetime is over.")
        if over
        else gettext("It has not expired.")
        if ends
        else gettext("It does not expire by itself."),
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
            title=gettext("Of the user's present registration"),
            state=State.HOLDS,
            explanation=gettext("It was issued to {user_id} as registered now.").format(
                user_id=claims.user_id
            ),
            facts={"registered": user.registered_at},
        )
    gone = last_line(environment, claims.user_id, *GOES, since=claims.issued_at)
    if gone and gone.type == AuditType.USER_DEACTIVATED:
        words = gettext(
            "It was issued to an earlier registration of {user_id}, who was deactivated since. "
            "It stays invalid even if the id is registered again."
        )
    else:
        words = gettext(
            "It was issued to an earlier registration of {user_id}, who was deleted since. "
            "It stays invalid even if the id is registered again."
        )
    return Step(
        rule="life",
        title=gettext("Of the user's present registration"),
        state=State.REFUSES,
        explanation=words.format(user_id=claims.user_id),
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
        since, whose = own, gettext("this user")
        line = last_line(environment, user.user_id, AuditType.USER_TOKENS_EXPIRED)
    else:
        since, whose = everybodys, gettext("everybody here")
        line = last_line(environment, "", AuditType.TOKENS_REVOKED)
    return since, whose, {"valid if issued from": since, **act(line)}


def _revoked(
    environment: Environment, claims: Claims, user: AppUser, about: dict[str, Any]
) -> Step:
    since, whose, facts = _revocation(environment, user)
    revoked = since is not None and claims.issued_at < since
    words = (
        gettext("Older tokens of {whose} were revoked. This one is older.")
        if revoked
        else gettext("Older tokens of {whose} were revoked. This one is newer.")
    )
    return Step(
        rule="revoked",
        title=gettext("Not revoked"),
        state=State.REFUSES if revoked else State.HOLDS,
        explanation=words.format(whose=whose)
        if since
        else gettext("No token of this user has been revoked."),
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
            title=gettext("Registered here"),
            state=State.HOLDS,
            explanation=gettext("{user_id} is registered in {full_name}.").format(
                user_id=user_id, full_name=environment.full_name
            ),
            facts={
                "registered": user.registered_at,
                "last seen": user.last_seen_at or "never",
                **({"name": user.name} if user.name else {}),
            },
        )
    step = partial(Step, rule="not_registered", title=gettext("Registered here"), about=about)
    if deactivated:
        return step(state=State.REFUSES, explanation=gettext("The id is deactivated; see above."))
    gone = last_line(environment, user_id, *GOES)
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
    if gone is None:
        words = gettext("{user_id} is not registered in {full_name}.")
    elif gone.type == AuditType.USER_DEACTIVATED:
        words = gettext("{user_id} was deactivated here, and is not registered now.")
    else:
        words = gettext("{user_id} was deleted here, and is not registered now.")
    if elsewhere:
        facts["registered in"] = elsewhere.full_name
        about |= {"org_name": elsewhere.application.org_name, "kind": elsewhere.kind}
    return step(
        state=State.REFUSES,
        explanation=words.format(user_id=user_id, full_name=environment.full_name),
        facts=facts,
        mend="ask_there" if elsewhere else "register",
    )


def deactivated_step(tombstone: DeactivatedUser | None, user_id: str) -> Step:
    """Whether the id is deactivated, and by which call."""
    step = partial(Step, rule="deactivated", title=gettext("Not deactivated"))
    if tombstone is None:
        return step(state=State.HOLDS, explanation=gettext("The id is not deactivated."))
    return step(
        state=State.REFUSES,
        explanation=gettext(
            "The id {user_id} is deactivated. Your app server reactivates it."
        ).format(user_id=user_id),
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
    words = (
        gettext("Older tokens of {whose} were revoked.").format(whose=whose)
        if since
        else gettext("No token has been revoked.")
    )
    return Step(
        rule="token",
        title=gettext("With a valid token"),
        state=State.DEPENDS,
        explanation=gettext(
            "{words} The client's own token may still be damaged, expired or of another "
            "environment. Paste it above to see."
        ).format(words=words),
        facts=facts,
    )


def is_user_id(text: str) -> bool:
    """Whether the text can be a user id."""
    try:
        identity.check_user_id(text)
    except identity.InvalidUserId:
        return False
    return True
