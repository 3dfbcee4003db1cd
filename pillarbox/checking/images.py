"""What a letter's images weigh, after they were made small: what a phone fetches, or every message carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from pillarbox.checking.matter import Matter
from pillarbox.content import images
from pillarbox.content.bundle import Bundle
from pillarbox.content.pictures import HEAVY
from pillarbox.model.records import Finding, Letter, Level

CODES = {
    "image-alt": "An image has no alt text.",
    "image-heavy": "An image has more than 200 KB after it was made small.",
    "images-heavy": "The images that the letter shows have more than 1 MB together.",
    "image-tall": "An image is shown taller than Outlook for Windows can.",
    "image-unused": "An image lies in the appeal's folder, and the letter does not show it.",
}
"""Code → what it means."""
HEAVY_TOGETHER = 1024 * 1024
"""Bytes of all: some ten seconds for a phone on a slow line, and then whoever reads has gone on."""
_NO_WORDS = re.compile(r"!\[\s*\]\(\s*<?([^\s()<>]+)")
TALLEST = 1_700
"""Pixels as shown: Outlook for Windows tears taller pictures at its page's end, about 1,790 pixels down."""


def look(matter: Matter) -> Iterator[Finding]:
    """Images that are heavy, that are heavy together, or that Outlook tears."""
    appeal = matter.bundle.appeal
    sources = "".join(matter.letter.templates.values())
    used = {name: data for name, data in appeal.images.items() if images.public_name(data) in sources}
    for name, data in used.items():
        if len(data) > HEAVY:
            yield _found(matter, "image-heavy", name, _too_heavy(name, data))
        shown = images.shown(name, data)
        if shown and shown[1] > TALLEST:
            yield _found(matter, "image-tall", name, f"images/{name} is shown {shown[1]:,} pixels tall, and Outlook "
                         f"for Windows tears what is taller than {TALLEST:,}: cut it in two.")
    yield from _without_words(matter)
    together = sum(map(len, used.values()))
    if together > HEAVY_TOGETHER:
        travel = ("each message carries them" if matter.bundle.sender["images"] == "embedded"
                  else "a phone fetches them before it shows the letter whole")
        heaviest = max(used, key=lambda name: len(used[name]))
        yield _found(matter, "images-heavy", heaviest, f"The {len(used)} images have {together / 1024 ** 2:.1f} MB "
                     f"together, and {travel}: leave some out, or link to the rest. The heaviest is images/{heaviest}.")


def _without_words(matter: Matter) -> Iterator[Finding]:
    """``![](images/lamp.jpg)``: most likely forgotten, and perhaps a mere ornament."""
    letter = matter.bundle.appeal.letter
    for number, text in enumerate(letter.content.split("\n"), 1):
        for found in _NO_WORDS.finditer(text) if letter.file.endswith(".md") else ():
            yield Finding(level=Level.WARNING, code="image-alt", file=letter.file, line=number,
                          message=f"{found[1]} says nothing to those who do not see it: write what it shows between ![ "
                                  "and ].")


def unused(bundle: Bundle, *versions: Letter) -> Iterator[Finding]:
    """Images of the folder that no variant of the letter shows."""
    appeal = bundle.appeal
    sources = "".join(source for letter in versions for source in letter.templates.values())
    for name, data in sorted(appeal.images.items()):
        if images.public_name(data) not in sources:
            folder = PurePosixPath(appeal.letter.file).parent
            yield Finding(level=Level.ADVICE, code="image-unused", file=f"{folder}/images/{name}", line=None,
                          message=f"The letter does not show images/{name}: write ![what it shows](images/{name}) "
                                  "where it belongs, or take the file away.")


def _found(matter: Matter, code: str, name: str, message: str) -> Finding:
    """A warning at the first line that shows an image."""
    letter = matter.bundle.appeal.letter
    line = next((number for number, text in enumerate(letter.content.split("\n"), 1)
                 if re.search(rf"images/(?:{re.escape(name)}|{re.escape(quote(name))})", text)), None)
    return Finding(level=Level.WARNING, code=code, file=letter.file, line=line, message=message)


def _too_heavy(name: str, data: bytes) -> str:
    size = f"has {len(data) / 1024:,.0f} KB"
    good = f"Below {HEAVY // 1024} KB is good."
    if images.kind(data) == "gif":
        return f"The animation images/{name} {size}, and slow phones wait for it: save a shorter or smaller one. {good}"
    return f"images/{name} {size} even after it was made small: choose a calmer picture, or cut it. {good}"
