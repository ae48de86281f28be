"""An environment's settings for Agora Chat."""

from django.db.models import TextChoices
from django.utils.translation import gettext_noop
from pydantic import Field, StrictBool

from applications.models import Environment
from applications.vendors import VendorSettings

VENDOR_NAME = "agora"


class ErrorDialect(TextChoices):
    AGORA = "agora", "Agora"
    EASEMOB = "easemob", "Easemob"


class AgoraSettings(VendorSettings):
    open_registration: StrictBool = Field(
        False,
        title=gettext_noop("Open registration"),
        description=gettext_noop(
            "Anybody may register a user without an app token. Clients that register "
            "themselves need this; it also lets strangers fill the quota."
        ),
    )
    require_password: StrictBool = Field(
        True,
        title=gettext_noop("Require a password at registration"),
        description=gettext_noop(
            "When off, a user may be registered without one, and then signs in with tokens alone."
        ),
    )
    error_dialect: ErrorDialect = Field(
        ErrorDialect.AGORA,
        title=gettext_noop("Wording of 401 responses"),
        description=gettext_noop(
            "The error text for a missing or bad token. Agora Chat grew out of Easemob, "
            "whose clients compare these texts."
        ),
    )


def settings_of(environment: Environment) -> AgoraSettings:
    return AgoraSettings.of(environment, VENDOR_NAME)
