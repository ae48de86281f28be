"""What can be imported: for each kind of list its columns, its verdicts and its verb.

Invariants
----------
* A kind changes what it changes by the verbs of `users` and `moderation`, with their limits.
* Who is registered, banned, muted or listed already stays as they are: an import can be repeated.
"""

from transfers.kinds.bans import Bans, Mutes
from transfers.kinds.base import Kind
from transfers.kinds.lists import Friends, Listed
from transfers.kinds.users import Users

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (Users(), Bans(), Mutes(), Listed("blocklist"), Listed("allowlist"), Friends())
}
