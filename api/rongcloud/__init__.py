"""RongCloud's Server API: forms in, `{"code": 200, ...}` out.

Decided here, where its manual is silent or two sources differ (errors: see `codes`):
* An empty parameter counts as not sent. So an empty name is an error at getToken, and an empty
  portraitUri changes nothing: some SDKs always send one.
* A name has 64 characters at most, as in the manual; comments in SDKs allow 128 bytes.
* Ids may be joined by commas in the calls whose manual or SDKs do so, and there may be repeated as
  well; elsewhere a comma is a bad id.
* Unknown ids can be banned, listed, checked (offline), deactivated and given a quiet period, which
  is not kept; token/expire, delusers and profile/clean skip them. They are refused by info,
  refresh, profile/set, and the calls that change friends.
* An id on its own list is accepted and ignored.
* In JSON within a form, names of members are read in any case, and null counts as not sent.
* A moment of token/expire up to five seconds ahead counts as now: clocks differ.
* Banning again sets a new end. Unbanning, and removing from a list, whom it does not concern is
  success.
* A ban without an end, which RongCloud does not know, is shown to end in the year 9999.
* A page size above its maximum is refused, not cut: a caller would take the page for the last one.
* Paths may begin with /user/blocklist for /user/blacklist; /user/activate.json is reactivate.
* user/query and user/delusers answer in development alone.
* What ends in .json, or comes with an App-Key, is a call to RongCloud wherever neither a page nor
  another vendor has the address.
* The calls that set tags take JSON, whatever its Content-Type; tags, remarks and mutes are for
  unknown ids too, and user/group/query finds no group, for there are none.
* Hosted profiles: setting merges, and a list has the users that have one. Extended fields need no
  definition beforehand. Who is not registered is refused, except where profiles are only asked for.
* friend/profile/set without a remarkName removes it, without a friendExtProfile leaves that.
* friend/add is done where they are friends already; the 3,001st friend is "too many". friend/delete
  takes targetId for targetIds: an example of the manual has it.
* A mute lasts until it is lifted. A quiet period of a user who has none is 00:00:00, for 0 minutes.
"""

from collections.abc import Sequence

from django.http import HttpRequest
from ninja import Form

from api import bodies, codes, signature
from api.rongcloud import auth, callbacks, friends, moderation, profiles, push, users, wire
from api.tables import Dialect
from api.vendor import Vendor
from applications.vendors import Occasion, Snippet

api = wire.API(
    title="Rollcall: RongCloud Server API",
    urls_namespace="rongcloud",
    docs_url=None,
    openapi_url=None,
    auth=auth.caller,
    parser=bodies.JSONBody(),
)
dialect = Dialect(takes=Form, success=wire.success, succeed=wire.succeed, limits=auth.LIMITS)
dialect.fill(api, users, moderation, profiles, friends, push)


PATH_WORDS = frozenset({"user", "friend"})


def _owns(segments: Sequence[str]) -> bool:
    return bool(segments) and segments[0] in PATH_WORDS


def _claims(request: HttpRequest) -> bool:
    """RongCloud has many modules that are not served here; its SDKs call them all the same, and
    break on an answer that is not JSON.
    """
    return request.path_info.endswith(".json") or bool(signature.app_key(request))


def _call_name(method: str, route: str) -> str:
    return route.removesuffix(".json")


VENDOR = Vendor(
    name="rongcloud",
    title="RongCloud",
    settings=signature.SignatureSettings,
    path_words=PATH_WORDS,
    webhook_format=callbacks.FORMAT,
    snippets={
        Occasion.START: [Snippet("RongCloud SDK, Python", "api/rongcloud/start_sdk.html")],
        Occasion.REGISTER: [Snippet("With RongCloud's call", "api/rongcloud/register.html")],
        Occasion.DEACTIVATE: [Snippet("With RongCloud's call", "api/rongcloud/deactivate.html")],
        Occasion.REACTIVATE: [Snippet("With RongCloud's call", "api/rongcloud/reactivate.html")],
    },
    owns=_owns,
    claims=_claims,
    api=api,
    call_name=_call_name,
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
