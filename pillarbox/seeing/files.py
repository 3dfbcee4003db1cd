"""The look as files: the page, and each copy as HTML and plain text."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pillarbox.mailings.preview import Page
from pillarbox.seeing.page import page as page_of
from pillarbox.seeing.sight import Sight, shown, told


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What was written."""

    index: Path
    """The page, which shows all of it."""
    copies: tuple[tuple[Page, Path, Path], ...]
    """Each copy that can be composed, its HTML and its text."""
    faulty: tuple[Page, ...]
    """Those that cannot."""
    names: tuple[str, ...]
    """For each of the page's copies how its files begin; empty for one that cannot be composed."""


def write(sight: Sight, folder: Path) -> Written:
    """Write the page and the copies into a folder, which is made when it is not there.

    Raises:
        LetterError: the letter has faults.
        OSError: the folder cannot be written.
    """
    sight.first_look()
    frame, pages = sight.frame(), sight.pages()
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for page in pages:
        if page.fault:
            continue
        html, text = folder / f"{sight.slug}-{page.name}.html", folder / f"{sight.slug}-{page.name}.txt"
        _put(html, with_images(page.html, frame["images"]))
        _put(text, f"Subject: {page.subject}\n\n{page.text}")
        copies.append((page, html, text))
    index = folder / f"{sight.slug}.html"
    _put(index, page_of(frame, copies=[shown(each) for each in pages],
                        findings=[told(each) for each in sight.findings()]))
    return Written(index=index, copies=tuple(copies), faulty=tuple(each for each in pages if each.fault),
                   names=tuple("" if each.fault else f"{sight.slug}-{each.name}" for each in pages))


def _put(path: Path, content: str) -> None:
    """Write a file that its owner alone can read: it may hold a supporter's words."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8",
                   newline="\n") as file:
        file.write(content)


def with_images(html: str, images: Mapping[str, str]) -> str:
    """A letter that holds its own images."""
    for address, data in images.items():
        html = html.replace(address, data)
    return html
