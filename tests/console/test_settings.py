"""`.env.example` is the list of settings: nothing missing, nothing left over."""

import re

from django.conf import settings


def test_each_setting_has_a_line_in_env_example():
    source = (settings.BASE_DIR / "console" / "settings.py").read_text()
    example = (settings.BASE_DIR / ".env.example").read_text()
    read = re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', source)
    listed = re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(listed) == sorted({*read, "POSTGRES_PASSWORD"})  # compose.yaml reads that one
