"""What would run in a reader's browser, found in a letter's sources: scripts, frames, forms, handlers, such links.

No mail program runs them, many drop a letter that has them, and the public page of a letter must never have any.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pillarbox.model.records import Finding, Level

MOST = 20
"""Findings that are told of one file: a hostile one has thousands."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Danger:
    """One such thing."""

    code: str
    """``script`` or ``script-link``."""
    what: str
    """How it begins, in small letters: ``<script``, ``onclick``, ``javascript:``."""

    @property
    def message(self) -> str:
        """What is wrong, and what to do."""
        if self.code == "script-link":
            return (f"A link that begins with {self.what} is never followed from a letter: give the https:// address "
                    "of a page.")
        shown = f"{self.what}>" if self.what.startswith("<") else self.what
        return (f"{shown} has no place in a letter: mail programs throw it out, and often the letter with it. Remove "
                "it; put what it does on a web page and link to that.")


def in_markdown(words: str) -> Danger | None:
    """What a paragraph's Markdown hides, however it is spelt (``java&#115;cript:``)."""
    plain = _UNSEEN.sub("", html.unescape(words))
    if found := _MARKDOWN_ADDRESS.search(plain):
        return _link(found[1])
    return next((danger for danger, _ in _in_tags(plain)), None)


def in_finished(page: str) -> tuple[Danger, ...]:
    """What a finished letter holds, each kind once."""
    return tuple(dict.fromkeys(danger for danger, _ in islice(_in_tags(page), MOST)))


def in_html(source: str, file: str) -> tuple[Finding, ...]:
    """What an HTML source holds, each with its line; the first ``MOST`` of them."""
    return tuple(dict.fromkeys(
        Finding(level=Level.ERROR, code=danger.code, file=file, line=source.count("\n", 0, position) + 1,
                message=danger.message) for danger, position in islice(_in_tags(source), MOST)))


def _in_tags(source: str) -> Iterator[tuple[Danger, int]]:
    for element in _ELEMENT.finditer(source):
        if not _DATA_BLOCK.search(element[2]):
            yield Danger(code="script", what=f"<{element[1].lower()}"), element.start()
    for tag in _TAG.finditer(source):
        if handler := _HANDLER.search(_QUOTED.sub('""', tag[0])):
            yield Danger(code="script", what=handler[1].lower()), tag.start()
        if address := _ADDRESS.search(_UNSEEN.sub("", html.unescape(tag[0]))):
            yield _link(address[1]), tag.start()


def _link(scheme: str) -> Danger:
    return Danger(code="script-link", what="".join(scheme.lower().split()).partition(":")[0] + ":")
