"""Nexconn's Server API v4: JSON in, `{"code": 0, "result": {...}}` out.

Decided here, where its manual is silent or two sources differ (errors: see `codes`):
* Everything about users that RongCloud's manual says and Nexconn's does not (what unknown ids get,
  banning again, the year 9999, page sizes, profiles, friends, mutes) is as in
  `api.rongcloud`.
* A member that is null counts as not sent; an empty `avatarUrl` removes the avatar, an empty
  `name` is an error.
* At most 20 ids in a call about lists, at most 3,000 on a list.
* `order` of a blocklist: 0 is newest first, 1 oldest first.
* An empty `pageToken` is the last page; the key is always there.
* /v4/user/online-status/get, as the manual prints it, is connection-status/get, and friend/delete
  is friend/remove.
* Page 0 of a list of bans is the same as none. A list may be asked for without a body.
"""

from ninja import Body

from api import bodies, codes, signature
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
dialect = Dialect(takes=Body, success=wire.success, succeed=wire.succeed, limits=auth.LIMITS)
dialect.fill(api, users, moderation, profiles, friends, push)


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
        Occasion.REGISTER: [Snippet("With Nexconn's call", "api/nexconn/register.html")],
        Occasion.DEACTIVATE: [Snippet("With Nexconn's call", "api/nexconn/soft_delete.html")],
        Occasion.REACTIVATE: [Snippet("With Nexconn's call", "api/nexconn/restore.html")],
    },
    owns=lambda segments: segments[:1] == ["v4"],
    api=api,
    call_name=lambda method, route: route.removeprefix("v4/"),
    limits=auth.LIMITS,
    claimed_key=signature.app_key,
    refusals=wire.REFUSALS,
    refuse=codes.refuse,
    documented=wire.DOCUMENTED,
    aliases={
        "v4/user/online-status/get": "v4/user/connection-status/get",
        "v4/friend/delete": "v4/friend/remove",
    },
)
