"""The HTML part, of a letter or of any template: what is wrong with it for the people and programs that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pillarbox.checking import contrast, destinations, links, size, structure
from pillarbox.checking.clients import weigh
from pillarbox.checking.clients.table import shares
from pillarbox.checking.matter import Matter
from pillarbox.checking.page import Page
from pillarbox.model.records import Finding, Level
from pillarbox.model.sections.checking import CLIENTS

CODES: Mapping[str, str] = {
    "unknown-client": "[check] clients names a mail program that is not known.",
}

PAGE_CHECKS: tuple[Callable[[Page], Iterator[Finding]], ...] = (
    structure.look,
    links.look,
    destinations.look,
    contrast.look,
    size.look,
)
"""What looks at one version's HTML alone."""
_ORDER = {level: place for place, level in enumerate(Level)}


def look(matter: Matter) -> Iterator[Finding]:
    """Every fault of the HTML of every version of a letter."""
    try:
        readers = shares(matter.settings.check.clients)
    except ValueError as fault:
        yield Finding(level=Level.WARNING, code="unknown-client", file="pillarbox.toml", line=None,
                      message=f"[check] clients: {fault}.")
        readers = shares(CLIENTS)
    for page in matter.pages:
        for check in PAGE_CHECKS:
            yield from check(page)
        yield from weigh.look(page, readers)


def examine(html: str, *, file: str = "letter.html") -> tuple[Finding, ...]:
    """Every finding on an HTML template that is no letter of ours, with the lines of that HTML; errors first.

    Args:
        html: the whole document. It is read as it stands: inline its CSS first if that is how it would be sent.
        file: its name, for the findings.

    Raises:
        LetterError: it holds half a character (a lone surrogate).
    """
    page = Page(html=html, file=file)
    found = dict.fromkeys(finding for check in PAGE_CHECKS for finding in check(page))
    found |= dict.fromkeys(weigh.look(page, shares(CLIENTS)))
    return tuple(sorted(found, key=lambda finding: (_ORDER[finding.level], finding.line or 0)))
