"""RongCloud's calls about bans, mutes, blocklists and allowlists."""

from collections.abc import Sequence

from api.calls import moderation
from api.fields import Channel
from api.rongcloud import schemas
from api.tables import Call
from api.vendor import Caller


def mute(caller: Caller, user_ids: Sequence[str], state: int, channel: Channel) -> None:
    """1 mutes these users in one kind of conversation without an end, 0 lifts the mutes."""
    moderation.mute(caller, user_ids, state, [channel])


CALLS = (
    Call("/user/block.json", moderation.ban, schemas.Block),
    Call("/user/unblock.json", moderation.unban, schemas.Users),
    Call("/user/block/query.json", moderation.banned, schemas.BlockQuery, schemas.BlockedUsers),
    Call("/user/chat/fb/set.json", mute, schemas.MuteSet),
    Call("/user/chat/fb/querylist.json", moderation.muted, schemas.MuteQuery, schemas.MutedUsers),
    Call("/user/blacklist/add.json", moderation.blocklist_add, schemas.BlacklistChange),
    Call("/user/blacklist/remove.json", moderation.blocklist_remove, schemas.BlacklistChange),
    Call("/user/blacklist/query.json", moderation.blocklist, schemas.ListQuery, schemas.ListPage),
    Call("/user/whitelist/add.json", moderation.allowlist_add, schemas.WhitelistChange),
    Call("/user/whitelist/remove.json", moderation.allowlist_remove, schemas.WhitelistChange),
    Call("/user/whitelist/query.json", moderation.allowlist, schemas.ListQuery, schemas.ListPage),
    Call("/user/whitesetting/set.json", moderation.allowlist_switch, schemas.WhitesettingSet),
    Call(
        "/user/whitesetting/query.json",
        moderation.allowlist_switches,
        schemas.Users,
        schemas.Whitesettings,
    ),
)
