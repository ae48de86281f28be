"""Which of these calls do what staff do, for pages that show "the same by API".

It follows from a vendor's tables: each maps a function to the vendor's path and names.
"""

from collections.abc import Callable
from types import ModuleType

from api.calls import moderation, users
from applications.vendors import Act, SameCall

_ACTS: dict[Callable[..., object], Act] = {
    moderation.ban: Act.BAN,
    moderation.unban: Act.LIFT,
    moderation.blocklist_add: Act.BLOCK,
    moderation.blocklist_remove: Act.UNBLOCK,
    moderation.allowlist_add: Act.ALLOW,
    moderation.allowlist_remove: Act.DISALLOW,
    users.expire_tokens: Act.EXPIRE_TOKENS,
}
# Argument of the functions → what an act takes.
_TAKES = {
    "user_id": "user_id",
    "user_ids": "user_id",
    "listed_ids": "other_id",
    "minutes": "minutes",
    "milliseconds": "milliseconds",
}


def same_calls(*subjects: ModuleType, prefix: str = "/", suffix: str = "") -> dict[Act, SameCall]:
    """Of a vendor's modules. `prefix` and `suffix` of a path are no part of the call's name."""
    return {
        _ACTS[call.function]: SameCall(
            call.path.removeprefix(prefix).removesuffix(suffix),
            {
                field.alias or name: _TAKES[name]
                for name, field in call.request.model_fields.items()
            },
        )
        for module in subjects
        for call in module.CALLS
        if call.function in _ACTS
    }
