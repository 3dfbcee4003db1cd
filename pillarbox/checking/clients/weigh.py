"""Which readers' mail programs would show a letter otherwise than it is meant, and how many these are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pillarbox.checking.clients.features import EFFECTS, SLIGHT
from pillarbox.checking.clients.table import Feature, table
from pillarbox.checking.clients.uses import Use, uses
from pillarbox.checking.page import Page
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "client-support": "Some readers' mail programs do not know what the letter uses, and show it otherwise.",
}

NOTABLE = 0.02
"""Share of readers from which on a loss is a warning; below it is advice."""
_OUTLOOK = ("outlook.windows", "outlook.windows-mail")
_VML = re.compile(r"<v:(?:fill|background|rect|image)\b", re.IGNORECASE)
_DRAWN = frozenset(("css-background-image", "html-background", "css-linear-gradient"))
"""What VML can draw for Outlook."""


def look(page: Page, shares: Mapping[str, float]) -> Iterator[Finding]:
    """One finding for each thing that a letter uses and some readers' programs lack, at its first use.

    Args:
        page: the HTML part.
        shares: client → share of the readers (``table.shares``); those without a share are not counted.
    """
    found: dict[str, list[Use]] = {}
    for use in uses(page):
        found.setdefault(use.slug, []).append(use)
    for slug, places in found.items():
        feature = table().features.get(slug)
        if feature is None:
            continue
        lacking = _lacking(page, feature, places, shares)
        share = sum(shares[client] for client in lacking)
        if share > 0:
            yield _finding(page, feature, places, lacking, share)


def _lacking(page: Page, feature: Feature, places: list[Use], shares: Mapping[str, float]) -> list[str]:
    lacking = [client for client in feature.lack if shares.get(client)]
    drawn = feature.slug in _DRAWN and _VML.search(page.html)
    if drawn or all(use.at in page.not_for_outlook for use in places):
        lacking = [client for client in lacking if client not in _OUTLOOK]
    return sorted(lacking, key=lambda client: -shares[client])


def _finding(page: Page, feature: Feature, places: list[Use], lacking: list[str], share: float) -> Finding:
    names = list(dict.fromkeys(table().clients[client] for client in lacking))
    told = ", ".join(names[:-1][:3]) + (" and " if len(names) > 1 else "") + (
        names[-1] if len(names) < 5 else f"{len(names) - 3} more")
    often = f" ({len(places)} times)" if len(places) > 1 else ""
    return page.fault("client-support", f"“{feature.title.strip()}”{often} is not known to {told}, about "
                      f"{_percent(share)} of readers. {EFFECTS[feature.slug]} (caniemail.com/features/{feature.slug}/)",
                      at=places[0].at, needle=places[0].needle,
                      level=Level.WARNING if share >= NOTABLE and feature.slug not in SLIGHT else Level.ADVICE)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"
