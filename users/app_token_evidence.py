"""The rules about a token that an app server signed itself. See `applications.evidence`.

Invariant: `users.app_tokens` is asked, as the gateway asks it; each of its refusals is one rule.
"""

from datetime import datetime
from functools import partial

from django.utils.translation import gettext

from applications.evidence import State, Step
from applications.models import Environment
from users import app_tokens, tokens
from users.tokens import UnknownUsers


def is_app_token(text: str) -> bool:
    """Whether the text has the format, whoever signed it."""
    try:
        app_tokens.parse(text)
    except tokens.TokenUnknown:
        return False
    return True


def app_token_steps(
    *, environment: Environment, token: str, now: datetime
) -> tuple[list[Step], str | None]:
    """The rules about a token that `is_app_token`, and its user's id if the token is valid."""
    content = app_tokens.parse(token)
    facts = {
        "issued": content.issued_at,
        **({"expires": content.grant.expires_at} if content.grant else {}),
    }
    step = partial(
        Step,
        rule="readable",
        title=gettext("Signed by your app server, and valid"),
        facts=facts,
    )
    refused = partial(step, state=State.REFUSES, mend="new_token")
    secrets = list(environment.secrets.live().order_by("pk"))
    try:
        found = app_tokens.authenticate(token, environment=environment, secrets=secrets, now=now)
    except tokens.TokenOfAnotherEnvironment:
        return [
            refused(explanation=gettext("It names another app, not this environment's app key."))
        ], None
    except tokens.TokenExpired:
        return [refused(rule="lifetime", explanation=gettext("Its lifetime is over."))], None
    except tokens.TokenRevoked:
        words = gettext(
            "It is older than the user's registration, or than the last revocation of tokens."
        )
        return [refused(rule="revoked", explanation=words)], None
    except tokens.TokenRefused:
        words = gettext("No live app secret has signed it, or it grants nothing for chat.")
        return [refused(explanation=words)], None
    except UnknownUsers as error:
        return [refused(rule="not_registered", explanation=f"{error}.")], None
    if found.user is None:
        words = gettext("It is the app's own token, not a user's.")
        return [refused(rule="life", explanation=words)], None
    words = gettext("A live app secret has signed it for {user_id}.").format(
        user_id=found.user.user_id
    )
    return [step(state=State.HOLDS, explanation=words)], found.user.user_id
