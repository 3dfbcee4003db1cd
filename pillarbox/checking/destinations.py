"""The links of a letter compared: with each other, and with the pages by which gifts are recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl

from lxml import etree

from pillarbox.checking.links import parts_of
from pillarbox.checking.matter import Matter
from pillarbox.checking.page import Page
from pillarbox.model.donating import CARRIERS
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "same-words": "Links of the same words lead to different places.",
    "nearly-same-link": "Two links differ only by a slip of the pen.",
    "untracked-donation": "A link leads straight to the donation page: its gifts would not be recognised.",
    "tracking-conflict": "A link carries tracking of its own beside ours, or the same parameter twice.",
}

_ANALYTICS = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
_PERSONAL = ("mc_cid", "mc_eid", "fbclid", "gclid", "msclkid", "_hsenc", "_hsmi", "mkt_tok", "vero_id", "twclid")
"""What other senders and networks add to mark one person or one mailing of theirs: it was copied with the link."""


def look(page: Page) -> Iterator[Finding]:
    """Every fault that shows only when links are compared."""
    links = [link for link in page.all("a") if link.get("href") and link not in page.unseen]
    yield from _same_words(page, links)
    yield from _nearly_same(page, links)
    for link in links:
        yield from _donation(page, link)
        yield from _tracking(page, link)


def _same_words(page: Page, links: list[etree._Element]) -> Iterator[Finding]:
    first: dict[str, etree._Element] = {}
    told: set[str] = set()
    for link in links:
        words = page.words(link).strip(" .!…>»→").lower()
        if not words or "…" in words or words in told or _address(link).startswith("mailto:?"):
            continue
        other = first.setdefault(words, link)
        if _address(other) != _address(link) and not page.is_own(_address(link)) and not page.is_own(_address(other)):
            told.add(words)
            yield page.fault("same-words", f"“{page.words(link)}” leads once to {_said(page, other)} and once to "
                             f"{_said(page, link)}: who hears only the links cannot tell them apart. Give them "
                             "different words, or the same address.", at=link, needle=_address(link),
                             level=Level.WARNING)


def _nearly_same(page: Page, links: list[etree._Element]) -> Iterator[Finding]:
    first: dict[str, tuple[str, SplitResult]] = {}
    told: set[str] = set()
    for link in links:
        address = _address(link)
        parts = None if page.is_own(address) else parts_of(address)
        if parts is None or parts.scheme not in ("http", "https"):
            continue
        key = _core(parts)
        other, as_parts = first.setdefault(key, (address, parts))
        if _as_read(as_parts) != _as_read(parts) and key not in told:
            told.add(key)
            yield page.fault("nearly-same-link", f"Two links differ by little: {other[:90]} and {address[:90]}. If "
                             "both mean the same page, write it in one way.", at=link, needle=address,
                             level=Level.WARNING)


def _as_read(parts: SplitResult) -> tuple[str, ...]:
    """An address as every browser reads it: the host's capitals, and a bare host's slash, make no difference."""
    return (parts.scheme, parts.netloc.lower(), parts.path or "/", parts.query, parts.fragment)


def _core(parts: SplitResult) -> str:
    """An address without what is easily mistyped: http or https, www, a slash or a blank's code at the end."""
    host = (parts.hostname or "").lower().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{parts.query}#{parts.fragment}"


def _donation(page: Page, link: etree._Element) -> Iterator[Finding]:
    address = _address(link)
    if page.is_own(address) or (parts := parts_of(address)) is None:
        return
    for name in ("donate", "donate_monthly"):
        wanted = parts_of(page.links.get(name, ""))
        if wanted and wanted.path.strip("/") and _page_of(wanted) == _page_of(parts):
            yield page.fault("untracked-donation", f"“{page.words(link)[:60]}” leads straight to the donation page: "
                             "what is given there would not be counted for this letter. Write "
                             f"{{{{ links.{name} }}}} as its address.", at=link, needle=address, level=Level.WARNING)
            return


def _page_of(parts: SplitResult) -> tuple[str, str]:
    return (parts.hostname or "").lower().removeprefix("www."), parts.path.strip("/")


def _tracking(page: Page, link: etree._Element) -> Iterator[Finding]:
    parts = parts_of(page.plain(_address(link)))
    if parts is None:
        return
    names = [name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    counted = Counter(names)
    if twice := next((name for name, count in counted.items() if count > 1 and not name.endswith("[]")), ""):
        yield page.fault("tracking-conflict", f"“{page.words(link)[:60]}” has the parameter {twice} twice, and only "
                         "one of them counts: take one out.", at=link, needle=_address(link), level=Level.WARNING)
    elif copied := next((name for name in names if name in _PERSONAL), ""):
        yield page.fault("tracking-conflict", f"“{page.words(link)[:60]}” carries {copied}, which another sender or "
                         "network put there to mark a person or a mailing of theirs: copy the address without it.",
                         at=link, needle=_address(link), level=Level.WARNING)
    elif page.tracking and page.tracking.lower() in names and page.tracking not in _ANALYTICS:
        yield page.fault("tracking-conflict", f"“{page.words(link)[:60]}” carries {page.tracking}=, by which the "
                         "donation page learns which letter brought a gift: take it out, or gifts are counted for "
                         "another letter.", at=link, needle=_address(link), level=Level.WARNING)


def look_at_settings(matter: Matter) -> Iterator[Finding]:
    """A donation page of the settings that already carries the parameter which each letter adds."""
    added = {matter.settings.links.code_parameter,
             *(name for carried in CARRIERS.values() for name, _ in carried if name not in _ANALYTICS)}
    for name in ("donate", "donate_monthly"):
        parts = parts_of(matter.bundle.links.get(name, ""))
        for parameter, _ in parse_qsl(parts.query, keep_blank_values=True) if parts else ():
            if parameter in added:
                file = matter.bundle.appeal.file if matter.bundle.appeal.links.get(name) else "pillarbox.toml"
                yield Finding(level=Level.WARNING, code="tracking-conflict", file=file, line=None,
                              message=f"[links] {name} already carries {parameter}=, which each letter adds to learn "
                                      "what it brought: take it out, or gifts are counted for nobody.")


def _address(link: etree._Element) -> str:
    return (link.get("href") or "").strip()


def _said(page: Page, link: etree._Element) -> str:
    return page.plain(_address(link))[:80]
