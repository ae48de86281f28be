"""Push settings of a user. They are stored in the user under the same names."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from api.agora.schemas import Nickname
from users import identity
from users.profiles import PushDevice

MAX_PUSH_TEXT = 512
_GROUP = r"^notification_ignore_[A-Za-z0-9_]{1,64}$"
# Not sent: keeps its value.
_UNSET: Any = Field(None)


def _hour(value: int | str) -> int | str:
    """The hour as a number, or "" for none."""
    text = str(value)
    if text and not (text.isdecimal() and text.isascii() and int(text) < 24):
        raise ValueError("an hour is 0 to 23")
    return int(text) if text else ""


def _style(value: Any) -> Any:
    """Accepts text too, but not true and false, which Pydantic would take for numbers."""
    if isinstance(value, bool):
        raise ValueError("0 or 1")
    return int(value) if value in {"0", "1"} else value


def _storable(value: str) -> str:
    if not identity.is_text(value, MAX_PUSH_TEXT):
        raise ValueError("not a text that can be stored")
    return value


Hour = Annotated[StrictInt | StrictStr, AfterValidator(_hour)]
Style = Annotated[Literal[0, 1], BeforeValidator(_style)]
PushText = Annotated[StrictStr, Field(max_length=MAX_PUSH_TEXT), AfterValidator(_storable)]
DEVICE_KEYS = {"device_id", "device_token", "notifier_name"}


class PushPreferences(BaseModel):
    """Hours may be text; an empty one means none. `notification_ignore_` followed by a group's id:
    true mutes the group.
    """

    # Not Ninja's Schema, which drops the extra keys.
    model_config = ConfigDict(
        extra="allow", json_schema_extra={"patternProperties": {_GROUP: {"type": "boolean"}}}
    )
    nickname: Nickname | None = _UNSET
    notification_display_style: Style = _UNSET
    notification_no_disturbing: StrictBool = _UNSET
    notification_no_disturbing_start: Hour = _UNSET
    notification_no_disturbing_end: Hour = _UNSET

    @model_validator(mode="after")
    def _groups_are_boolean(self) -> Self:
        for key, value in (self.__pydantic_extra__ or {}).items():
            if re.fullmatch(_GROUP, key) and not isinstance(value, bool):
                raise ValueError(f"{key}: true or false")
        return self


class PushSettings(PushPreferences):
    """With a push device; an empty `device_token` removes it."""

    device_id: PushText = _UNSET
    device_token: PushText = _UNSET
    notifier_name: PushText = _UNSET

    def preferences(self) -> dict[str, Any]:
        """The settings that were sent, without unknown keys and without the nickname and the
        device, which are stored elsewhere.
        """
        elsewhere = {"nickname", *DEVICE_KEYS}
        return {
            key: value
            for key, value in self.model_dump(exclude_unset=True, exclude=elsewhere).items()
            if key in type(self).model_fields or re.fullmatch(_GROUP, key)
        }

    def device(self) -> PushDevice | None:
        """The device that was sent, or None."""
        if self.device_token is None:
            return None
        return PushDevice(self.device_id or "", self.device_token, self.notifier_name or "")
