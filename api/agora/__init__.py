"""Agora Chat's REST API: JSON with an envelope, under /{org_name}/{app_name}/.

`org_name` is the application's, `app_name` the environment's kind. /app-id/{app key}/ is the same
app; its responses leave these names out.

Decided here, because the manual is silent or its sources differ:
* This door registers ids in lower case and finds them in any case. From its first registration on,
  the environment allows one spelling of an id through every door. A user whom another door
  registered with capitals is shown with them.
* An app's UUID is its app key. `modified` is the latest of registration, change and ban in force.
* "Deactivate" is a permanent ban, "activate" lifts any ban. Both may be repeated.
* An id that another door deactivated cannot register: 403, or in a batch a failure of that entry.
* In a batch, equal entries count once. If none of them is new, the call is refused.
* A page size that is not a number becomes 10, one above 100 becomes 100. A bad cursor is 400.
* A response has a cursor only if there are more rows; a cursor is never empty.
* Deletion works in development. In production it is 403 unless an owner has unlocked it.
* A deleted user is shown without their ban. Tokens of a banned user are refused.
* Closing connections succeeds for a user without any, and for a device that is not online.
* A message that is not waiting counts as delivered.
* A user's token gives access to that user's own data, and to read others' attributes. It cannot
  register, delete, ban or mute users or import contacts. To change the password with it, the old
  password is required.
* The error for a missing token is that for an expired one, as in Agora's table; `error_dialect`
  can change it.
* The text of a quota refusal is the vendor's sentence followed by the domain's.
* An AccessToken2 that expires after 0 seconds has expired. Each live app secret is a certificate.
* Tokens that we issue to an app become invalid with the app secret they were issued for. `ttl` is
  limited to the environment's token lifetime for users. A token without expiry has 2^31-1 seconds.
* An unknown path is 404, a wrong method 405, a closed door 403. A path of groups, chat rooms,
  history and the like is 403, which web clients show as a service that is not enabled.
* Remarks of contacts have up to 100 characters. The paths under `user` and `users` are one call.
* A contact request asks even users who accept everybody. If both have asked, they are contacts at
  once. Accepting or declining a request that does not exist changes nothing.
* Blocking oneself is not an error and has no effect.
* The ten newest push devices are kept; an empty token removes one.
* A status is shown for devices that are online. An unknown user is offline.
* The token call has no GET: a secret does not belong in a URL.
* When lists are checked, an unknown name is on no list, and an unknown user's list is empty.
* Attributes of an unknown user cannot be set; reading and clearing them finds nothing.
"""

import re
from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_noop

from api.agora import (
    auth,
    bodies,
    connections,
    credentials,
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
from applications.vendors import Act, Occasion, SameCall, Snippet, WebClient

api = VendorAPI(
    title="Rollcall: Agora Chat REST API",
    urls_namespace="agora",
    docs_url=None,
    openapi_url=None,
    auth=auth.app,
    parser=bodies.JSONBody(),
)
# Fixed paths, such as `users/batch/status`, come before paths with a parameter in the same place.
# Push adds its call to the router of users.
for router in (tokens, connections, presence, push, moderation, friends, profiles):
    api.add_router("", router.router)

# The third segment of a path. It shows the vendor even if the app name is unknown.
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
    # Django's route begins with `^/`, and a parameter is `<str:name>` or `<name>`.
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
    same_calls={
        Act.BAN: SameCall(
            "POST users/<username>/deactivate",
            {"username": "user_id"},
            note=gettext_noop("Its bans have no end, only permanent ones are the same."),
        ),
        Act.REGISTER: SameCall(
            "POST users",
            {"username": "user_id", "nickname": "name"},
            note=gettext_noop("The user signs in with the password, or with a token."),
            fixed={"password": "a-password"},
        ),
        Act.UPDATE: SameCall("PUT users/<username>", {"username": "user_id", "nickname": "name"}),
        Act.MUTE: SameCall(
            "POST mutes",
            {"username": "user_id"},
            note=gettext_noop("It mutes in direct messages, without an end."),
            fixed={"chat": -1},
        ),
        Act.UNMUTE: SameCall("POST mutes", {"username": "user_id"}, fixed={"chat": 0}),
        Act.BEFRIEND: SameCall(
            "POST users/<username>/contacts/users/<friend>",
            {"username": "user_id", "friend": "other_id"},
        ),
        Act.UNFRIEND: SameCall(
            "DELETE users/<username>/contacts/users/<friend>",
            {"username": "user_id", "friend": "other_id"},
        ),
        Act.LIFT: SameCall("POST users/<username>/activate", {"username": "user_id"}),
        Act.KICK: SameCall("GET users/<username>/disconnect", {"username": "user_id"}),
        Act.DELETE: SameCall("DELETE users/<username>", {"username": "user_id"}),
        Act.BLOCK: SameCall(
            "POST users/<username>/blocks/users", {"username": "user_id", "usernames": "other_id"}
        ),
        Act.UNBLOCK: SameCall(
            "DELETE users/<username>/blocks/users/<blocked>",
            {"username": "user_id", "blocked": "other_id"},
        ),
    },
    web_client=WebClient(
        "Agora Chat's web SDK",
        "web-clients/agora.js",
        "https://cdn.jsdelivr.net/npm/agora-chat@1.4.0/Agora-chat.js",
    ),
    owns=_owns,
    api=api,
    call_name=_call_name,
    credentials=credentials.headers,
    limits=auth.LIMITS,
    claimed_key=_claimed_key,
    refusals=wire.REFUSALS,
    refuse=wire.refuse,
    documented=documented.DOCUMENTED,
    tenant_segments=2,
    cross_origin=True,
)
