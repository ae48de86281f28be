"""Which of these calls do what staff do, for pages that show "the same by API".

It follows from a vendor's tables: each maps a function to the vendor's path and names.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from django.utils.translation import gettext_noop

from applications.vendors import Act, SameCall

# A subject's function → the acts that it does, each with the arguments that are always the same.
# By name: a vendor whose arguments differ has a function of its own under the same name.
_MUTED = {"channel": "PERSON", "channels": ["PERSON"]}
_ACTS: Mapping[str, Mapping[Act, Mapping[str, Any]]] = {
    "users.issue_token": {Act.REGISTER: {}},
    "users.update": {Act.UPDATE: {}},
    "users.deactivate": {Act.DEACTIVATE: {}},
    "users.reactivate": {Act.REACTIVATE: {}},
    "users.expire_tokens": {Act.EXPIRE_TOKENS: {}},
    "moderation.ban": {Act.BAN: {}},
    "moderation.unban": {Act.LIFT: {}},
    "moderation.mute": {Act.MUTE: {"state": 1, **_MUTED}, Act.UNMUTE: {"state": 0, **_MUTED}},
    "moderation.blocklist_add": {Act.BLOCK: {}},
    "moderation.blocklist_remove": {Act.UNBLOCK: {}},
    "moderation.allowlist_add": {Act.ALLOW: {}},
    "moderation.allowlist_remove": {Act.DISALLOW: {}},
    "moderation.allowlist_switch": {
        Act.ALLOWLIST_ON: {"state": 1},
        Act.ALLOWLIST_OFF: {"state": 0},
    },
    "friends.add": {Act.BEFRIEND: {"action": 2}},
    "friends.remove": {Act.UNFRIEND: {}},
    "friends.set_permission": {Act.PERMIT_FRIENDS: {}},
}
# Argument of the functions → what an act takes.
_TAKES = {
    "user_id": "user_id",
    "user_ids": "user_id",
    "name": "name",
    "avatar_url": "avatar_url",
    "listed_ids": "other_id",
    "target_id": "other_id",
    "target_ids": "other_id",
    "minutes": "minutes",
    "milliseconds": "milliseconds",
    "permission": "permission",
}
_NOTES = {Act.MUTE: gettext_noop("It mutes in direct messages, without an end.")}


def same_calls(*subjects: ModuleType, prefix: str = "/", suffix: str = "") -> dict[Act, SameCall]:
    """Of a vendor's modules. `prefix` and `suffix` of a path are no part of the call's name."""
    found = {}
    for module in subjects:
        subject = module.__name__.rpartition(".")[2]
        for call in module.CALLS:
            names = {
                argument: field.alias or argument
                for argument, field in call.request.model_fields.items()
            }
            for act, fixed in _ACTS.get(f"{subject}.{call.function.__name__}", {}).items():
                found[act] = SameCall(
                    call.path.removeprefix(prefix).removesuffix(suffix),
                    {
                        names[argument]: word
                        for argument, word in _TAKES.items()
                        if argument in names and argument not in fixed
                    },
                    note=_NOTES.get(act, ""),
                    fixed={
                        names[argument]: value
                        for argument, value in fixed.items()
                        if argument in names
                    },
                )
    return found
