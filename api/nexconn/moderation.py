"""Nexconn's calls about bans, mutes and blocklists. It has no calls about allowlists."""

from api.calls import moderation
from api.nexconn import schemas
from api.tables import Call

CALLS = (
    Call("/v4/user/ban", moderation.ban, schemas.Ban),
    Call("/v4/user/unban", moderation.unban, schemas.Users),
    Call("/v4/user/ban/list", moderation.banned, schemas.BanList, schemas.BannedUsers),
    Call("/v4/channel-type/mute/set", moderation.mute, schemas.MuteSet),
    Call("/v4/channel-type/mute/list", moderation.muted, schemas.MuteList, schemas.MutedUsers),
    Call("/v4/user/blocklist/add", moderation.blocklist_add, schemas.BlocklistAdd),
    Call("/v4/user/blocklist/remove", moderation.blocklist_remove, schemas.BlocklistRemove),
    Call("/v4/user/blocklist/get", moderation.blocklist, schemas.BlocklistGet, schemas.Blocklist),
)
