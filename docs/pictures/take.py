"""Take the README's pictures anew: ``make demo``, then ``.venv/bin/python docs/pictures/take.py demo``."""

from __future__ import annotations

import email
import email.policy
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_HERE = Path(__file__).parent
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
          "--disable-sync", "--no-first-run"]
# Side by side in the README, where the letter has 42% of the width: both end at a line, about equally tall.
_LETTER = {"width": 640, "height": 1282}
_REPORT = {"width": 860, "height": 1254}
# Of the report's page: the money, what happened over time, from sent to gave.
_SHORTER = """
section:has(> .key), section:has(> #raised), .pair, .definitions, footer, details, .note { display: none }
main { padding-top: 28px } section { margin-top: 34px } figure { margin: 12px 0 0 }
"""


def main(demo: Path) -> None:
    """Photograph a letter and the report of a demo."""
    letter = next(html for html in map(_html, sorted((demo / "letters").rglob("*.eml"))) if ">Dear M" in html)
    report = (demo / "report.html").read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_QUIET)
        _take(browser, "letter", letter, _LETTER)
        _take(browser, "report", report.replace("</style>", f"{_SHORTER}</style>", 1), _REPORT)
        browser.close()


def _take(browser: Browser, name: str, html: str, size: dict[str, int]) -> None:
    page = browser.new_page(viewport={"width": size["width"], "height": size["height"]}, java_script_enabled=False)
    page.set_content(html)
    path = _HERE / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    print(f"{path.name}: {path.stat().st_size // 1024} KB")


def _html(path: Path) -> str:
    part = email.message_from_bytes(path.read_bytes(), policy=email.policy.default).get_body(("html",))
    if part is None:
        raise SystemExit(f"{path} has no HTML part")
    return str(part.get_content())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
