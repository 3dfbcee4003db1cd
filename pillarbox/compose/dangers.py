"""What would run in a reader's browser, found in a letter's sources: scripts, frames, forms, handlers, such links.

No mail program runs them, many drop a letter that has them, and the public page of a letter must never have any.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from pillarbox.model.records import Finding, Level

# https://html.spec.whatwg.org, and what mail programs refuse (caniemail.com; both read 2026-11).
_ELEMENT = re.compile(r"<\s*(script|iframe|frame|object|embed|applet|form|portal)\b([^<>]*)", re.IGNORECASE)
_DATA_BLOCK = re.compile(r"type\s*=\s*[\"']?application/(?:ld\+)?json", re.IGNORECASE)
"""Not run: what Gmail reads of orders and events."""
_TAG = re.compile(r"<[a-zA-Z][^<>]*>", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HANDLER = re.compile(r"[\s\"'/](on[a-z]{3,})\s*=", re.IGNORECASE)
_SCHEME = r"(?:java|vb|live)script\s*:|data\s*:\s*(?:text/html|application|image/svg)|file\s*:"
_ADDRESS = re.compile(rf"[\s\"'](?:href|src|action|background|xlink:href)\s*=\s*[\"']?\s*({_SCHEME})", re.IGNORECASE)
_MARKDOWN_ADDRESS = re.compile(rf"(?:\]\(\s*<?|\]:\s*<?|<)\s*({_SCHEME})", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\u00ad\u200b-\u200f\u2060\ufeff]")


class Danger(NamedTuple):
    """One such thing."""

    code: str
    """``script`` or ``script-link``."""
    message: str

    def at(self, line: int) -> tuple[str, int, str]:
        """Code, line and sentence."""
        return self.code, line, self.message


def in_markdown(words: str) -> Danger | None:
    """What a paragraph's Markdown hides, however it is spelt (``java&#115;cript:``)."""
    plain = _UNSEEN.sub("", html.unescape(words))
    if found := _MARKDOWN_ADDRESS.search(plain):
        return _link(found[1])
    if found := _ELEMENT.search(plain):
        return _script(f"<{found[1].lower()}>")
    for tag in _TAG.findall(plain):
        if found := _HANDLER.search(_QUOTED.sub('""', tag)):
            return _script(found[1])
    return None


def in_html(source: str, file: str) -> Iterator[Finding]:
    """What an HTML source holds, each with its line."""
    for found in _ELEMENT.finditer(source):
        if not _DATA_BLOCK.search(found[2]):
            yield _finding(_script(f"<{found[1].lower()}>"), source, file, found.start())
    for tag in _TAG.finditer(source):
        if found := _HANDLER.search(_QUOTED.sub('""', tag[0])):
            yield _finding(_script(found[1]), source, file, tag.start())
        if found := _ADDRESS.search(_UNSEEN.sub("", html.unescape(tag[0]))):
            yield _finding(_link(found[1]), source, file, tag.start())


def _script(what: str) -> Danger:
    return Danger("script", f"{what} has no place in a letter: mail programs throw it out, and often the letter with "
                            "it. Remove it; put what it does on a web page and link to that.")


def _link(scheme: str) -> Danger:
    word = re.sub(r"\s", "", scheme.lower()).partition(":")[0]
    return Danger("script-link", f"A link that begins with {word}: is never followed from a letter: give the https:// "
                                 "address of a page.")


def _finding(danger: Danger, source: str, file: str, position: int) -> Finding:
    return Finding(level=Level.ERROR, code=danger.code, file=file, line=source.count("\n", 0, position) + 1,
                   message=danger.message)
