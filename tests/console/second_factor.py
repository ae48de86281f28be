"""An authenticator app."""

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.urls import reverse


def set_up(client: Any, account: Any) -> str:
    """Sign in and set up an authenticator app by its page. Returns its key."""
    client.force_login(account)
    page = client.get(reverse("mfa_activate_totp")).text
    secret = re.search(r">([A-Z2-7]{32})<", page)[1]
    done = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert done.status_code == 302
    cache.clear()  # so that the same code, which is valid for half a minute, is not a used one
    return secret


def code(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, if its clock is off by so many steps of half a minute."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))
