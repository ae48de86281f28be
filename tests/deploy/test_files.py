"""The other files of deploy/ are what their programs take."""

import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
UNITS = sorted(each.name for each in (DEPLOY / "systemd").iterdir())
SYSTEM_UNITS = Path("/lib/systemd/system")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path):
    shutil.copytree(SYSTEM_UNITS, tmp_path / "lib/systemd/system", symlinks=True)
    shutil.copytree(DEPLOY / "systemd", tmp_path / "etc/systemd/system")
    python = tmp_path / "opt/rollcall/.venv/bin/python"
    python.parent.mkdir(parents=True)
    shutil.copy("/bin/true", python)
    told = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *UNITS],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert [line for line in told.stderr.splitlines() if "rollcall" in line] == []
    assert told.returncode == 0, told.stderr


@pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is not installed")
def test_caddy_takes_its_file(tmp_path):
    told = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "caddy/Caddyfile"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 0, told.stderr


def test_proxies_send_each_path_of_the_gateway_to_it():
    locations = (DEPLOY / "nginx/rollcall-locations.conf").read_text()
    nginx = re.search(r"location ~ (\S+) {\s+proxy_pass http://rollcall_gateway", locations)[1]
    caddy = re.search(r"@gateway path (.+)", (DEPLOY / "caddy/Caddyfile").read_text())[1].split()
    for path in (*settings.GATEWAY_PROTOCOLS, *settings.GATEWAY_PAGES):
        asked = path.replace("*", "x")
        assert re.search(nginx, asked), f"nginx: {asked}"
        assert any(fnmatchcase(asked, pattern) for pattern in caddy), f"Caddy: {asked}"
    for path in ("/", "/console/", f"{settings.GATEWAY_PATH}-not", "/metrics"):
        assert not re.search(nginx, path)
        assert not any(fnmatchcase(path, pattern) for pattern in caddy)
