"""RongCloud's Server API: forms in, `{"code": 200, ...}` out.

Decided here, because its manual is silent or two sources differ (errors: see `codes`):
* An empty parameter counts as not sent. So an empty name is an error in getToken, and an empty
  portraitUri changes nothing: some SDKs always send one.
* A name has at most 64 characters, as in the manual; comments in SDKs allow 128 bytes.
* Ids may be joined by commas, or repeated, in the calls whose manual or SDKs join them. In other
  calls an id with a comma is invalid.
* Unknown ids can be banned, listed, checked (offline), deactivated and given a quiet period, which
  is not stored. token/expire, delusers and profile/clean skip them. info, refresh, profile/set and
  the calls that change friends refuse them.
* A list's owner among the listed ids is accepted and ignored.
* In JSON within a form, names of members are case-insensitive, and null counts as not sent.
* A moment of token/expire up to five seconds ahead counts as now: clocks differ.
* Banning a banned user sets a new end. Unbanning a user who is not banned succeeds, and so does
  removing a user who is not on the list.
* RongCloud has no permanent bans; a permanent ban is shown with an end in the year 9999.
* A page size above its maximum is refused, not reduced: the caller would take the page for the
  last one.
* /user/blocklist is an alias of /user/blacklist, /user/activate.json of /user/reactivate.json.
* user/query and user/delusers work in development alone.
* If neither a page nor another vendor has the URL, a request is a call to RongCloud if its path
  ends in .json or it has an App-Key.
* The calls that set tags take JSON, whatever its Content-Type. Unknown ids can have tags, remarks
  and mutes. user/group/query returns no groups, because there are none.
* Setting a hosted profile merges. Lists contain the users who have a profile. Extended fields need
  no definition. Users who are not registered are refused, except in calls that only read profiles.
* friend/profile/set without remarkName removes the remark; without friendExtProfile it stays.
* friend/add succeeds if they are already friends; the 3,001st friend is "too many". friend/delete
  takes targetId for targetIds, as in an example of the manual.
* A mute lasts until it is lifted. A user without a quiet period has one of 0 minutes at 00:00:00.
"""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Form

from api import bodies, codes, signature
from api.calls import acts
from api.rongcloud import auth, callbacks, friends, moderation, profiles, push, users, wire
from api.rongcloud.settings import VENDOR_NAME, RongCloudSettings
from api.tables import Dialect
from api.vendor import Vendor
from applications.vendors import Act, Occasion, SameCall, Snippet, WebClient

api = wire.API(
    title="Rollcall: RongCloud Server API",
    urls_namespace="rongcloud",
    docs_url=None,
    openapi_url=None,
    auth=auth.caller,
    parser=bodies.JSONBody(),
)
dialect = Dialect(Form, wire.response_schema, wire.envelope, auth.LIMITS)
dialect.fill(api, users, moderation, profiles, friends, push)


PATH_WORDS = frozenset({"user", "friend"})


def _owns(segments: Sequence[str]) -> bool:
    return bool(segments) and segments[0] in PATH_WORDS


def _claims(request: HttpRequest) -> bool:
    """Claims calls to RongCloud's modules that are not served here: its SDKs fail on a response
    that is not JSON.
    """
    return request.path_info.endswith(".json") or bool(signature.app_key(request))


def _call_name(method: str, route: str) -> str:
    return route.removesuffix(".json")


VENDOR = Vendor(
    name=VENDOR_NAME,
    title="RongCloud",
    settings=RongCloudSettings,
    path_words=PATH_WORDS,
    webhook_format=callbacks.FORMAT,
    snippets={
        Occasion.START: [Snippet("RongCloud SDK, Python", "api/rongcloud/start_sdk.html")],
        Occasion.REGISTER: [
            Snippet(gettext_noop("With RongCloud's call"), "api/rongcloud/register.html")
        ],
        Occasion.DEACTIVATE: [
            Snippet(gettext_noop("With RongCloud's call"), "api/rongcloud/deactivate.html")
        ],
        Occasion.REACTIVATE: [
            Snippet(gettext_noop("With RongCloud's call"), "api/rongcloud/reactivate.html")
        ],
    },
    same_calls={
        **acts.same_calls(users, moderation, friends, suffix=".json"),
        Act.DELETE: SameCall("user/delusers", {"userId": "user_id"}),
    },
    web_client=WebClient(
        "RongCloud's web SDK",
        "web-clients/rongcloud.js",
        "https://cdn.jsdelivr.net/npm/@rongcloud/imlib-next@5.38.0/+esm",
    ),
    owns=_owns,
    claims=_claims,
    api=api,
    call_name=_call_name,
    credentials=signature.headers,
    limits=auth.LIMITS,
    claimed_key=signature.app_key,
    refusals=wire.REFUSALS,
    refuse=codes.refuse,
    documented=wire.DOCUMENTED,
    max_body=wire.MAX_BODY,
    aliases={
        "user/activate.json": "user/reactivate.json",
        **{
            f"user/blocklist/{verb}.json": f"user/blacklist/{verb}.json"
            for verb in ("add", "remove", "query")
        },
    },
)
