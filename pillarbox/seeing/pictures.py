"""Pictures of a letter, taken by the Chromium or Chrome that this machine has: no driver, no download."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pillarbox.ground.errors import Refused

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge", "msedge")
_MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
_WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe",
            r"Chromium\Application\chrome.exe")
WIDTHS = {"desktop": 720, "phone": 375}
"""As in ``pages/preview.js``."""
_SCALE = 2
"""Pixels of the picture for each of the page's: sharp on screens and paper."""
_TALLEST = 8_000
"""Page pixels; Chromium draws no more than 16,384 of the picture's in one piece."""
_LIMIT_SECONDS = 60
_AT_ONCE = 2
_HEIGHTS = re.compile(r'<html[^>]*\sdata-heights="([\d ]+)"')


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One way in which a letter is seen."""

    device: str
    scheme: str = "light"
    images: str = "on"
    styles: str = "on"

    @property
    def name(self) -> str:
        """For a file's name: ``phone-dark``."""
        parts = [self.device, self.scheme]
        return "-".join(parts + ["no-images"] * (self.images == "off") + ["no-styles"] * (self.styles == "off"))


VIEWS = (View(device="desktop"), View(device="desktop", scheme="dark"), View(device="phone"),
         View(device="phone", scheme="dark"), View(device="phone", scheme="inverted"),
         View(device="phone", images="off"), View(device="phone", styles="off"))
"""What is taken of the first copy."""
SHORT = (View(device="desktop"), View(device="phone"))
"""What is taken of the others, which differ in their words."""


_Shot = tuple[int, str, View]
"""Number of the copy, how its files begin, the view."""


def browser() -> str:
    """The Chromium, Chrome or Edge of this machine.

    Raises:
        Refused: it has none.
    """
    for name in NAMES:
        if found := shutil.which(name):
            return found
    places = [Path(f"/Applications/{name}.app/Contents/MacOS/{name}") for name in _MAC] if sys.platform == "darwin" \
        else [Path(root) / name for root in (os.environ.get("PROGRAMFILES"), os.environ.get("PROGRAMFILES(X86)"),
                                             os.environ.get("LOCALAPPDATA")) if root for name in _WINDOWS]
    for place in places:
        if place.exists():
            return str(place)
    raise Refused("Pictures are taken by Chromium, Chrome or Edge, and this machine has none that can be found.",
                  todo="Install one of them; or leave --png out, and open the page in any browser.")


def take(index: Path, folder: Path, names: Sequence[str], *,
         on_taken: Callable[[int], None] = lambda _count: None) -> list[Path]:
    """Take pictures: of the first copy in every view, of the others as they are on desktop and phone.

    Args:
        index: the page, written with all copies.
        folder: where the pictures go: ``<name>-<view>.png``.
        names: for each of the page's copies the beginning of its pictures' names; empty: none is taken of it.
        on_taken: called with the number of pictures just taken, from any thread.

    Raises:
        Refused: there is no browser, or it fails.
    """
    program = browser()
    shots = shots_of(names)
    if not shots:
        return []
    measured = _HEIGHTS.search(_run(program, _address(index, shots), "--dump-dom", size=(_width(shots), 800)))
    if measured is None:
        raise Refused("The browser did not draw the letter.", where=program, todo="Try again, or open the page in it.")
    heights = dict(zip(shots, (min(int(each), _TALLEST) for each in measured[1].split()), strict=True))
    sheets = [[shot for shot in shots if shot[1] == name] for name in names if name]

    def sheet(row: list[_Shot]) -> list[Path]:
        paths = _sheet(program, index, folder, {shot: heights[shot] for shot in row})
        on_taken(len(paths))
        return paths

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return [path for paths in pool.map(sheet, sheets) for path in paths]


def shots_of(names: Sequence[str]) -> list[_Shot]:
    """What is taken; arguments as for ``take``."""
    there = [(number, name) for number, name in enumerate(names, 1) if name]
    return [(number, name, view) for number, name in there for view in (VIEWS if (number, name) == there[0] else SHORT)]


def _sheet(program: str, index: Path, folder: Path, shots: Mapping[_Shot, int]) -> list[Path]:
    """Take one picture of several screens beside one another, and cut it up: to start a browser takes the longest."""
    from PIL import Image

    width, height = _width(shots), max(shots.values())
    paths = []
    with tempfile.TemporaryDirectory(prefix="pillarbox-pictures-") as place:
        whole = Path(place) / "sheet.png"
        _run(program, _address(index, shots), f"--screenshot={whole}", f"--force-device-scale-factor={_SCALE}",
             size=(width, height))
        try:
            with Image.open(whole) as taken:
                sheet = taken.convert("RGB")
        except OSError:
            raise Refused("The browser took no picture.", where=program, todo="Try again.") from None
    left = 0
    for (_, name, view), tall in shots.items():
        wide = WIDTHS[view.device]
        path = folder / f"{name}-{view.name}.png"
        cut = sheet.crop((left * _SCALE, 0, (left + wide) * _SCALE, tall * _SCALE))
        cut.quantize(256, Image.Quantize.FASTOCTREE).save(path)
        left += wide
        paths.append(path)
    return paths


def _address(index: Path, shots: Iterable[_Shot]) -> str:
    asked = "+".join(f"{number}.{view.device}.{view.scheme}.{view.images}.{view.styles}" for number, _, view in shots)
    return f"{index.resolve().as_uri()}#pictures={asked}"


def _width(shots: Iterable[_Shot]) -> int:
    return sum(WIDTHS[view.device] for _, _, view in shots)


def _run(program: str, address: str, *asked: str, size: tuple[int, int]) -> str:
    with tempfile.TemporaryDirectory(prefix="pillarbox-browser-", ignore_cleanup_errors=True) as profile:
        # The letters' own scripts never run (see page.py); root, as in a container, has no sandbox of its own.
        rootly = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [program, "--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--mute-audio",
                   "--disable-extensions", "--disable-background-networking", f"--user-data-dir={profile}",
                   "--virtual-time-budget=5000", f"--window-size={size[0]},{size[1]}", *rootly, *asked, address]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,  # noqa: S603 - a browser of this machine, our own arguments
                                  timeout=_LIMIT_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as fault:
            why = "it did not end" if isinstance(fault, subprocess.TimeoutExpired) else str(fault.strerror)
            raise Refused(f"The browser failed: {why}.", where=program, todo="Try again.") from None
        if done.returncode:
            raise Refused(f"The browser failed (it ended with {done.returncode}).", where=program, todo="Try again.")
        return done.stdout.decode("utf-8", "replace")
