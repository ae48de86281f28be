"""`python -m tests.screenshots`: the README's pictures, in light and dark, of a demo at work.

It starts a demo of its own in a temporary folder, waits until its clients talk and its import is
done, and writes docs/<page>-<light or dark>.png. `CHROMIUM` names the browser.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

BASE_DIR = Path(__file__).resolve().parent.parent
SIZE = {"width": 1280, "height": 860}
MOST_BYTES = 200_000
PATIENCE = 300_000.0  # milliseconds; the import keeps the machine busy
PRODUCTION = "/console/acme-chat/production"


def _environment(page: Page, base: str) -> None:
    page.goto(f"{base}{PRODUCTION}/")


def _users(page: Page, base: str) -> None:
    """The list with somebody who is online beside it."""
    page.goto(f"{base}{PRODUCTION}/users/?tab=online")
    page.locator("td .person a").first.click()
    page.locator("#panel .panel-body").wait_for()


def _why(page: Page, base: str) -> None:
    """About somebody who is banned for good."""
    page.goto(f"{base}{PRODUCTION}/bans/?q=")
    banned = page.locator("tr", has_text="permanent").locator("code").first.inner_text()
    page.goto(f"{base}{PRODUCTION}/why/?q={banned}")


def _audit(page: Page, base: str) -> None:
    """What a moderator did."""
    page.goto(f"{base}{PRODUCTION}/audit/?actor=mei.tanaka")


PAGES: dict[str, Callable[[Page, str], None]] = {
    "environment": _environment,
    "users": _users,
    "why": _why,
    "audit": _audit,
}


def take(browser: Browser, base: str, password: str, folder: Path) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(base)
        page.get_by_label("Username").fill("demo")
        page.locator("input[type=password]").fill(password)
        page.locator("input[type=password]").press("Enter")
        page.wait_for_url(re.compile("/console/"))
        page.goto(f"{base}{PRODUCTION}/transfers/")
        while not page.get_by_text("Done", exact=True).count():
            page.wait_for_timeout(2_000)
            page.reload()
        for name, show in PAGES.items():
            show(page, base)
            page.wait_for_load_state("networkidle")
            path = folder / f"{name}-{scheme}.png"
            page.screenshot(path=path)
            size = path.stat().st_size
            print(f"{path.relative_to(BASE_DIR)}: {size:,} bytes")  # noqa: T201
            if size > MOST_BYTES:
                sys.exit(f"{path} has more than {MOST_BYTES:,} bytes")
        context.close()


def start(data: str, port: int) -> tuple["subprocess.Popen[str]", str]:
    """The demo, and the password that it tells."""
    demo = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=BASE_DIR,
        env=os.environ | {"DATA_DIR": data, "PORT": str(port), "DATABASE_URL": "", "REDIS_URL": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told = ""
    while "Ctrl-C" not in told and (line := demo.stdout.readline()):
        told += line
    if found := re.search(r"demo / (\S+)", told):
        return demo, found[1]
    sys.exit(told)


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo, password = start(data, port)
        try:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=["--headless", "--no-sandbox", "--disable-gpu"],
            )
            take(browser, f"http://127.0.0.1:{port}", password, BASE_DIR / "docs")
            browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate()


if __name__ == "__main__":
    main()
