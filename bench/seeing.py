"""How soon a saved letter is seen in its preview: from the save to the news, to the letter, to the browser's screen."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

ROOT = Path(__file__).resolve().parent.parent
APPEAL = "uyghur-freedom"
SAVES = 15
_PAUSE_SECONDS = 1.5
"""Between saves: what a check finds is told after each, and shall not be measured with the next."""


def run() -> None:
    """Save a letter again and again, and print how long it took to be seen."""
    with tempfile.TemporaryDirectory() as place, _served(Path(place)) as (address, letter):
        busy = f"; the load is {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
        print(f"\npreview, from a save to the letter ({SAVES} saves of {APPEAL}; the aim is 300 ms{busy})")
        news, whole = _by_http(address, letter)
        _told("told of it", news)
        _told("letter composed and fetched", whole)
        if seen := _by_browser(address, letter):
            _told("drawn in Chromium", seen)


def _told(what: str, seconds: list[float]) -> None:
    ordered = sorted(1000 * each for each in seconds)
    print(f"  {what:<28} median {statistics.median(ordered):5.0f} ms, worst {ordered[-1]:5.0f} ms")


@contextmanager
def _served(place: Path) -> Iterator[tuple[str, Path]]:
    folder = place / "p"
    for name in ("appeals", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pillarbox.toml", folder)
    (folder / "pillarbox.key").write_text("a key for measuring only, thirty-two bytes\n", "utf-8")
    command = [sys.executable, "-m", "pillarbox", "-C", str(folder), "preview", APPEAL, "--serve"]
    serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert serving.stdout is not None
    try:
        yield (next(line.strip() for line in serving.stdout if "http://" in line),
               folder / "appeals" / APPEAL / "letter.md")
    finally:
        serving.send_signal(signal.SIGINT)
        serving.wait(30)


def _save(letter: Path, number: int) -> None:
    time.sleep(_PAUSE_SECONDS)
    source = letter.read_text("utf-8").rpartition("\n\nSaved ")[0] or letter.read_text("utf-8")
    letter.write_text(f"{source}\n\nSaved {number} times.\n", "utf-8")


def _by_http(address: str, letter: Path) -> tuple[list[float], list[float]]:
    pool, news, whole = urllib3.PoolManager(), [], []
    stream = pool.request("GET", f"{address}events", preload_content=False, headers={"Accept-Encoding": "identity"})
    lines = (line.decode().rstrip("\n") for line in stream)
    heard: Callable[[], str] = lambda: next(line for line in lines if line.startswith("data: "))  # noqa: E731
    heard()
    for number in range(SAVES):
        _save(letter, number)
        began = time.perf_counter()
        version = json.loads(heard()[6:])["version"]
        news.append(time.perf_counter() - began)
        copy = pool.request("GET", f"{address}copy/1").json()
        whole.append(time.perf_counter() - began)
        assert copy["version"] >= version
        assert f"Saved {number} times." in copy["text"]
    stream.close()
    return news, whole


def _by_browser(address: str, letter: Path) -> list[float]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        print("  (not drawn: no Chromium, or no playwright)")
        return []
    seen = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(address)
        for number in range(SAVES):
            page.wait_for_selector("html[data-drawn]")
            drawn = page.get_attribute("html", "data-drawn")
            _save(letter, 100 + number)
            began = time.perf_counter()
            page.wait_for_selector(f'html:not([data-drawn="{drawn}"])')
            seen.append(time.perf_counter() - began)
        browser.close()
    return seen
