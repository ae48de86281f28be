"""`gettext_lazy` as a text: Django's stubs tell it from `str`, readers do not."""

from collections.abc import Callable
from typing import cast

from django.utils import translation

gettext_lazy = cast(Callable[[str], str], translation.gettext_lazy)
