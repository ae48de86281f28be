"""What an app adds to a text. The content of a text is a JSON object: `content` is the text, the
other members (`extra`, `user`, `mentionedInfo`, the app's own) are what it adds. Settings of the
push and of the message are fields of the frame, which only this protocol can show.
"""

import json
from collections.abc import Mapping
from typing import Any

from gateway.protobuf import Malformed, Message
from gateway.rongcloud.frames import messages
from users import extras
from users.extras import Extra
from users.messages import StoredMessage

_OWN = "rongcloud"
_TEXT = "content"
# The SDK looks into them.
_OBJECTS = frozenset({"user", "mentionedInfo"})
# Bits of a sent message's `sessionId`, and of a received one's `status`.
_STATUS_OF = {4: 64, 32: 512, 64: 1024}  # mentions, silent, can be expanded
_KEPT_AND_COUNTED = 48
# Bits of `configFlag` that a receiver is shown.
_SHOWN = 1 | 4 | 8
_PUSH = ("title", "pushConfigs", "pushId", "templateId")


def content_of(sent: Message) -> dict[str, Any]:
    """The content of a message. Raises `Malformed`."""
    try:
        content = json.loads(sent.content)
    except (ValueError, RecursionError):
        raise Malformed("not the content of this class of message") from None
    if not isinstance(content, dict):
        raise Malformed("not an object")
    return content


def text(content: Mapping[str, Any], name: str) -> str:
    """A member that is a text. Raises `Malformed`."""
    value = content.get(name)
    if not isinstance(value, str):
        raise Malformed("not a text")
    return value


def read(sent: Message, content: Mapping[str, Any]) -> tuple[str, Extra]:
    """The text, and what the app has added to it. Raises `Malformed`."""
    members = {name: value for name, value in content.items() if name != _TEXT}
    settings = {
        "flags": sent.sessionId & sum(_STATUS_OF),
        "pushContent": sent.pushText,
        "configFlag": sent.configFlag & _SHOWN,
        "expansion": sent.extraContent,
        "push": {name: value for name in _PUSH if (value := getattr(sent.pushExt, name))},
    }
    own = {name: value for name, value in settings.items() if value}
    return text(content, _TEXT), Extra(members, {_OWN: own} if own else {})


def written(message: StoredMessage) -> dict[str, Any]:
    """The fields of a `DownStreamMessage` that say what the message says."""
    extra = extras.unpack(message.extra)
    own = extra.own.get(_OWN, {})
    flags = own.get("flags", 0)
    fields: dict[str, Any] = {
        "content": as_json({_TEXT: message.body, **_members(extra)}),
        "status": _KEPT_AND_COUNTED
        | sum(status for bit, status in _STATUS_OF.items() if flags & bit),
    }
    if "pushContent" in own:
        fields["pushContent"] = own["pushContent"]
    if "configFlag" in own:
        fields["configFlag"] = own["configFlag"]
    if "expansion" in own:
        fields["extraContent"] = own["expansion"]
    if "push" in own:
        fields["pushExt"] = messages.PushExt(**own["push"])
    return fields


def _members(extra: Extra) -> dict[str, Any]:
    return {
        name: value
        for name, value in extra.members.items()
        if name != _TEXT and (name not in _OBJECTS or isinstance(value, dict))
    }


def as_json(members: Mapping[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False)
