"""How a value is written at each place of a finished letter.

A finished letter comes out of libxml2's HTML serialiser, with every attribute in double quotes (``compose/inline.py``).
A value that Jinja escaped and the parser read is written again by these rules, so that filling a shape gives the very
bytes that rendering and inlining the whole letter would give. All rules work character by character, but for the
blanks that libxml2 drops at the start of a URL. Found out with libxml2 2.14.6 on every character up to U+3000
(2026-11); ``tests/compose/test_finishing.py`` asks the installed one again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

import markupsafe

from pillarbox.model.records import Place

# Left as they are in a URL attribute (href, src, action; name of <a>); every other byte becomes %XX.
URL_SAFE = "\"#$%&+,/:;<=>?@[\\]^`{|}!*'()-_.~"
_URL_UNSAFE = re.compile(f"[^A-Za-z0-9{re.escape(URL_SAFE)}]+")
_URL_BLANKS = " \t\n\r"

_SURROGATE_OR_ALTERED = re.compile("[\0\r\ud800-\udfff]")
# A header is one line: everything that some program takes for the end of one becomes a space.
_NOT_IN_A_LINE = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")


def passes(value: str) -> bool:
    """Whether a value may go into a shape: false for what an HTML parser alters (NUL, CR) or cannot hold (surrogates).

    A message with any other value takes the slow path. Values from a list are free of all three since intake.
    """
    return _SURROGATE_OR_ALTERED.search(value) is None


def text(value: str) -> str:
    """Between tags: ``&``, ``<`` and ``>``; quotes and no-break spaces stay."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(value: str) -> str:
    """In a double-quoted attribute that is no URL."""
    return text(value).replace('"', "&quot;")


def url(value: str) -> str:
    """In a URL attribute, after its beginning: UTF-8 bytes that are not safe become ``%XX``; ``%41`` stays."""
    return attribute(_URL_UNSAFE.sub(_percent, value))


def url_start(value: str) -> str:
    """At the beginning of a URL attribute: leading blanks are dropped."""
    return url(value.lstrip(_URL_BLANKS))


def comment(value: str) -> str:
    """In a comment (blocks for Outlook): as Jinja escaped it, since no parser reads it again."""
    return str(markupsafe.escape(value))


def plain(value: str) -> str:
    """In the plain-text part: as it is."""
    return value


def subject(value: str) -> str:
    """In a subject line: control characters and line ends become spaces, one for one."""
    return value if value.isprintable() else value.translate(_NOT_IN_A_LINE)


ESCAPE: Mapping[Place, Callable[[str], str]] = {
    Place.TEXT: text,
    Place.ATTRIBUTE: attribute,
    Place.URL: url,
    Place.URL_START: url_start,
    Place.COMMENT: comment,
    Place.PLAIN: plain,
    Place.SUBJECT: subject,
}
"""How to write a value, by place."""


def _percent(run: re.Match[str]) -> str:
    return quote(run.group(), safe="")
