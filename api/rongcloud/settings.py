"""An environment's settings for RongCloud."""

import re
from typing import Annotated

from django.utils.translation import gettext_noop
from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from api.signature import SignatureSettings
from applications.models import Environment

VENDOR_NAME = "rongcloud"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]{1,200}(:\d{1,5})?")


def _check_address(value: str) -> str:
    if value and not _ADDRESS.fullmatch(value):
        raise PydanticCustomError(
            "address", "Enter an address without a path, such as https://chat.example.com."
        )
    return value


class RongCloudSettings(SignatureSettings):
    gateway_address: Annotated[str, AfterValidator(_check_address)] = Field(
        "",
        title=gettext_noop("Address of the gateway in tokens"),
        description=gettext_noop(
            "For example <code>https://chat.example.com</code>. The tokens that getToken "
            "issues then end in it, and RongCloud's web SDK connects to the gateway there without "
            "a change in the app. Other clients do not accept such tokens."
        ),
    )
    several_pages: StrictBool = Field(
        False,
        title=gettext_noop("Several web pages of a user at once"),
        description=gettext_noop(
            "If not, a user's web page with RongCloud's SDK is disconnected with code "
            "31010 when the user connects from another one. At RongCloud this is part of "
            "multi-device message synchronisation."
        ),
    )


def settings_of(environment: Environment) -> RongCloudSettings:
    return RongCloudSettings.of(environment, VENDOR_NAME)
