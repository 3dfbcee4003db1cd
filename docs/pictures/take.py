"""Take the README's pictures anew: ``make demo``, then ``.venv/bin/python docs/pictures/take.py demo``."""

from __future__ import annotations

import email
import email.policy
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_HERE = Path(__file__).parent
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
          "--disable-sync", "--no-first-run"]


def main(demo: Path) -> None:
    """Photograph a letter and the report of a demo."""
    letter = _html(next(path for path in sorted((demo / "letters").rglob("*.eml")) if b"Dear M" in path.read_bytes()))
    pages = {"letter": (letter, 640, 1080), "report": ((demo / "report.html").read_text("utf-8"), 900, 1080)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_QUIET)
        for name, (html, width, height) in pages.items():
            page = browser.new_page(viewport={"width": width, "height": height}, java_script_enabled=False)
            page.set_content(html)
            page.screenshot(path=_HERE / f"{name}.png")
        browser.close()


def _html(path: Path) -> str:
    part = email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_body(("html",))
    if part is None:
        raise SystemExit(f"{path} has no HTML part")
    return str(part.get_content())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
