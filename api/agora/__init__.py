"""Agora Chat's REST API: JSON with an envelope, under /{org_name}/{app_name}/.

`org_name` is the application's, `app_name` the environment's kind; /app-id/{app key}/ is the same
app, without its names in the answers.

Decided here, where the manual is silent or its sources differ:
* Ids are lower-case when this door registers them, and found in any case. From its first
  registration on, the environment admits one spelling of an id through every door; a user whom
  another door registered with capitals is shown with them.
* An app's UUID is its app key. `modified` is the latest of registration, change, and ban in force.
* "Deactivate" is a ban for good, "activate" lifts whatever ban there is; both may come again.
* An id that was deactivated through another door cannot register: 403 alone, a failure in a batch.
* In a batch, equal entries count once. If none of them is new, the call is refused.
* A page size that is no number is 10, a large one 100; a bad cursor is 400, and never the start.
* A cursor comes only with further rows, and never empty.
* Deleting is free in development; in production it is 403 unless an owner has unlocked it.
* A deleted user is shown without their ban. Tokens of a banned user open nothing.
* Closing the connections of one who has none succeeds; so does a device that is not there.
* A message that does not wait counts as delivered.
* A user's token is good for that user's own data, never to register, delete, ban or mute, nor to
  import contacts; changing the password takes the old one. Attributes of others may be read.
* A missing token is worded as an expired one, as in Agora's table; `error_dialect` decides.
* A quota's refusal is the vendor's sentence and then the domain's.
* An AccessToken2 that expires after 0 seconds has expired. One certificate is each live secret.
* Tokens of ours die with the app secret they were got with; `ttl` is cut to the environment's
  longest lifetime for users; "for good" is told as 2^31-1 seconds.
* An unknown path is 404, a wrong method 405, a closed door 403.
* Contacts have remarks of 100 characters; the two paths, `user` and `users`, are one call.
* A contact request asks even who lets everybody; who has asked back is a contact at once. An
  answer to nobody's request changes nothing.
* To block oneself is no error and has no effect.
* Of push devices the ten newest are kept; an empty token forgets one.
* A status is shown for devices that are online, and an unknown user is offline.
* The tokens' path takes no GET: a secret does not belong into an address.
* No unknown name is on a list that is checked, and an unknown user has none.
* Attributes of an unknown user cannot be set; clearing and reading them finds nothing.
"""

import re
from collections.abc import Sequence

from django.http import HttpRequest

from api.agora import (
    auth,
    bodies,
    connections,
    documented,
    friends,
    moderation,
    presence,
    profiles,
    push,
    settings,
    tokens,
    wire,
)
from api.vendor import Vendor, VendorAPI
from applications.environments import reserved_org_names
from applications.models import Environment
from applications.vendors import Occasion, Snippet

api = VendorAPI(
    title="Rollcall: Agora Chat REST API",
    urls_namespace="agora",
    docs_url=None,
    openapi_url=None,
    auth=auth.app,
    parser=bodies.JSONBody(),
)
# Fixed paths stand before those with names in their place: `users/batch/status`. Push has its call
# in the router of users.
for router in (tokens, connections, presence, push, moderation, friends, profiles):
    api.add_router("", router.router)

# What follows the app in a path, where the app's own name is not enough to know the vendor by.
_ROOTS = {"users", "user", "sdk", "token", "metadata", "mutes", "contacts", "blocks"}


def _owns(segments: Sequence[str]) -> bool:
    if len(segments) < 2 or segments[0] in reserved_org_names() - {auth.BY_APP_ID}:
        return False
    return (
        segments[0] == auth.BY_APP_ID
        or segments[1] in Environment.Kind.values
        or (len(segments) > 2 and segments[2] in _ROOTS)
    )


def _call_name(method: str, route: str) -> str:
    # Django keeps its pattern in front: `^/`, and `<str:name>` or `<name>` for a parameter.
    name = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", route.removeprefix("^/"))
    return f"{method} {name}".strip()


def _claimed_key(request: HttpRequest) -> str:
    return "#".join(auth.segments(request)[:2])


VENDOR = Vendor(
    name=settings.VENDOR_NAME,
    title="Agora Chat",
    settings=settings.AgoraSettings,
    path_words=frozenset({auth.BY_APP_ID}),
    deletes_in_production=True,
    snippets={
        Occasion.START: [
            Snippet("Agora Chat, curl", "api/agora/start.html", "api/agora/start_facts.html")
        ]
    },
    owns=_owns,
    api=api,
    call_name=_call_name,
    limits=auth.LIMITS,
    claimed_key=_claimed_key,
    refusals=wire.REFUSALS,
    refuse=wire.refuse,
    documented=documented.DOCUMENTED,
    tenant_segments=2,
    cross_origin=True,
)
