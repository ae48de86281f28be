"""`.env.example` is the list of settings: nothing missing, nothing left over."""

import os
import re
import subprocess
import sys

from django.conf import settings


def test_each_setting_has_a_line_in_env_example():
    source = "".join(
        (settings.BASE_DIR / "rollcall" / f"{name}.py").read_text()
        for name in ("settings", "database_settings", "sign_in_settings")
    )
    example = (settings.BASE_DIR / ".env.example").read_text()
    read = re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', source)
    listed = re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(listed) == sorted({*read, "POSTGRES_PASSWORD"})  # compose.yaml reads that one


def test_pages_may_connect_to_the_gateway_wherever_it_is():
    shown = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from rollcall import settings\n"
            "print(*settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['connect-src'])",
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "GATEWAY_URL": "wss://chat.example.com:8443/gateway"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.split() == ["'self'", "wss://chat.example.com:8443"]
