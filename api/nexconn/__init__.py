"""Nexconn's Server API v4: JSON in, `{"code": 0, "result": {...}}` out.

Decided here, because its manual is silent or two sources differ (errors: see `codes`):
* Where Nexconn's manual is silent and RongCloud's is not (unknown ids, repeated bans, the year
  9999, page sizes, profiles, friends, mutes), the calls behave as in `api.rongcloud`.
* A member with null counts as not sent. An empty `avatarUrl` removes the avatar; an empty `name` is
  an error.
* A call about lists takes at most 20 ids. A list holds at most 3,000.
* `order` of a blocklist: 0 is newest first, 1 oldest first.
* `pageToken` is always in the response; it is empty on the last page.
* user/online-status/get is an alias of user/connection-status/get, friend/delete of friend/remove.
* Page 0 of a list of bans means no page number. Calls that return lists need no body.
"""

from django.utils.translation import gettext_noop
from ninja import Body

from api import bodies, codes, signature
from api.calls import acts
from api.nexconn import auth, callbacks, friends, moderation, profiles, push, users, wire
from api.tables import Dialect
from api.vendor import Vendor, VendorAPI
from applications.vendors import Occasion, Snippet

api = VendorAPI(
    title="Rollcall: Nexconn Server API v4",
    urls_namespace="nexconn",
    docs_url=None,
    openapi_url=None,
    auth=auth.caller,
    parser=bodies.JSONBody(),
)
dialect = Dialect(Body, wire.response_schema, wire.envelope, auth.LIMITS)
dialect.fill(api, users, moderation, profiles, friends, push)

_CALL = gettext_noop("With Nexconn's call")
VENDOR = Vendor(
    name="nexconn",
    title="Nexconn",
    settings=signature.SignatureSettings,
    path_words=frozenset({"v4"}),
    webhook_format=callbacks.FORMAT,
    snippets={
        Occasion.START: [
            Snippet("curl", "api/nexconn/start.html"),
            Snippet("Nexconn SDK, Python", "api/nexconn/start_sdk.html"),
        ],
        Occasion.REGISTER: [Snippet(_CALL, "api/nexconn/register.html")],
        Occasion.DEACTIVATE: [Snippet(_CALL, "api/nexconn/soft_delete.html")],
        Occasion.REACTIVATE: [Snippet(_CALL, "api/nexconn/restore.html")],
    },
    same_calls=acts.same_calls(users, moderation, friends, prefix="/v4/"),
    owns=lambda segments: segments[:1] == ["v4"],
    api=api,
    call_name=lambda method, route: route.removeprefix("v4/"),
    limits=auth.LIMITS,
    credentials=signature.headers,
    claimed_key=signature.app_key,
    refusals=wire.REFUSALS,
    refuse=codes.refuse,
    documented=wire.DOCUMENTED,
    aliases={
        "v4/user/online-status/get": "v4/user/connection-status/get",
        "v4/friend/delete": "v4/friend/remove",
    },
)
