"""Each link by itself: whether it is an address at all, whether it leads somewhere, what its words promise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lxml import etree

from pillarbox.checking.page import Page
from pillarbox.model.records import UNSUBSCRIBE_TAG, Finding, Level

CODES: Mapping[str, str] = {
    "bad-link": "A link is no address that a mail program can open.",
    "http-link": "A link is not encrypted.",
    "anchor-nowhere": "A link within the letter leads to a place that is not there.",
    "bad-mailto": "A link that opens a new email is not written as one.",
    "link-without-words": "A link has nothing to read or to press.",
    "vague-link": "A link's words do not say where it leads.",
    "link-deceives": "A link shows one website's address and leads to another.",
    "short-link": "A link hides where it leads behind a shortener, which spam filters dislike.",
}

SHORTENERS = frozenset(("bit.ly", "tinyurl.com", "goo.gl", "ow.ly", "t.co", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly",
                        "t.ly", "rb.gy", "shorturl.at", "tiny.cc"))
"""Public shorteners that anybody may use, spammers too: filters list links that go through them (URIBL's "redirectors",
SpamAssassin's URI_SHORTENER lists; read 2026-11)."""
_VAGUE = frozenset(("click here", "here", "click", "link", "this link", "this", "more", "read more", "learn more",
                    "find out more", "tap here", "go"))
_MAIL_FIELDS = frozenset(("to", "cc", "bcc", "subject", "body", "in-reply-to"))
_MAILBOX = re.compile(r"[^@\s,;<>\"()\[\]]+@[^@\s,;<>\"()\[\]]+\.[^@\s,;<>\"()\[\].]{2,}")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]|localhost"
                   r"|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]")
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
# "Node.js" is no website: without https:// or www. before them, only words that end as Britain's websites do are.
_SHOWN = re.compile(r"^(?=https?://|www\.|\S+\.(?:org|uk|com|net|eu|gov|charity|info)(?:[/?#]|$))"
                    r"(?:https?://)?((?:[\w-]+\.)+(?:[a-z]{2,}))(?:[/?#]\S*)?$", re.IGNORECASE)
_TEL = re.compile(r"\+?[\d\s().-]{3,20}(?:;.*)?")


def look(page: Page) -> Iterator[Finding]:
    """Every fault of every link."""
    for link in page.all("a", "area"):
        if link.get("href") is not None:
            yield from _address(page, link, (link.get("href") or "").strip())
            yield from _words(page, link, (link.get("href") or "").strip())


def parts_of(href: str) -> SplitResult | None:
    """A web address in its parts; None when it is none."""
    try:
        parts = urlsplit(href)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and _HOST.fullmatch(parts.hostname.lower()) else None


def _address(page: Page, link: etree._Element, href: str) -> Iterator[Finding]:
    if page.begins_own(href) or href == UNSUBSCRIBE_TAG:
        return
    scheme = href.partition(":")[0].lower() if ":" in href else ""
    label = _label(page, link)
    if href.startswith("#"):
        yield from _anchor(page, link, href, label)
    elif scheme == "mailto":
        yield from _mailto(page, link, href, label)
    elif scheme in ("tel", "sms"):
        if not _TEL.fullmatch(unquote(href.partition(":")[2]).partition("?")[0]):
            yield page.fault("bad-link", f"“{label}” leads to {page.plain(href)!r}, which is no telephone number: "
                             "write it like tel:+442012345678.", at=link)
    elif scheme not in ("http", "https"):
        what = f"leads to {page.plain(href)[:100]!r}" if href else "leads nowhere"
        yield page.fault("bad-link", f"“{label}” {what}: links begin with https:// or mailto:.", at=link, needle=href)
    elif why := _fault_of(page, href):
        yield page.fault("bad-link", f"“{label}” leads to {page.plain(href)[:100]!r}, which {why}: mend the address.",
                         at=link, needle=href)
    elif scheme == "http":
        yield page.fault("http-link", f"“{label}” leads to {page.plain(href)[:100]}, which is not encrypted: write "
                         "https://, or browsers warn whoever follows it.", at=link, needle=href, level=Level.WARNING)


def _fault_of(page: Page, href: str) -> str:
    """What is wrong with a web address, as the second half of a sentence; empty: nothing."""
    if any(blank in href for blank in " \t\r\n"):
        return "has a blank in it"
    if "{{" in href or "{%" in href or "*|" in href:
        return "still holds a template's marks"
    if re.match(r"https?://https?:?/", href, re.IGNORECASE):
        return "says https:// twice"
    shown = page.plain(href)
    host = urlsplit(shown).netloc if not shown.count("[") else ""
    if "…" in host:
        return ""  # a supporter's own words choose the host: not known here
    if parts_of(shown) is None:
        return "names no website"
    if _BROKEN_PERCENT.search(href):
        return "has a % that is followed by no two hex digits (a % itself is written %25)"
    return ""


def _anchor(page: Page, link: etree._Element, href: str, label: str) -> Iterator[Finding]:
    name = unquote(href[1:])
    if not name:
        yield page.fault("anchor-nowhere", f"“{label}” leads to “#”, that is, nowhere: give it its address.", at=link)
    elif name.lower() != "top" and not page.is_own(name) and not any(
            name in (element.get("id"), element.get("name")) for element in page.elements):
        yield page.fault("anchor-nowhere", f"“{label}” leads to {href}, and nothing in the letter has that id: mend "
                         f'the name, or put id="{name}" where it should lead.', at=link, needle=f'"{href}"')


def _mailto(page: Page, link: etree._Element, href: str, label: str) -> Iterator[Finding]:
    to, _, query = href[7:].partition("?")
    boxes = [box for box in re.split("[,;]", unquote(to)) if box]
    wrong = next((box for box in boxes if not page.is_own(box) and not _MAILBOX.fullmatch(box)), "")
    unknown = [name for name, _ in parse_qsl(query, keep_blank_values=True) if name.lower() not in _MAIL_FIELDS]
    why = ""
    if wrong:
        why = f"names {wrong!r}, which is no email address"
    elif not boxes and not query:
        why = "names nobody"
    elif " " in href:
        why = "has a blank in it (write %20)"
    elif _BROKEN_PERCENT.search(href):
        why = "has a % that is followed by no two hex digits"
    elif unknown:
        why = f"sets {unknown[0]!r}, which emails have not (subject, body and cc they have)"
    if why:
        yield page.fault("bad-mailto", f"“{label}” opens a new email, but its address {why}: mend it (RFC 6068).",
                         at=link, needle=href)


def _words(page: Page, link: etree._Element, href: str) -> Iterator[Finding]:
    if link.tag == "area" or link in page.unseen:
        return
    words = page.words(link)
    if not words:
        named = link.get("aria-label") or link.get("title")
        if not named:
            pictured = next(link.iter("img"), None) is not None
            what = "an image without alt text" if pictured else "no words"
            yield page.fault("link-without-words", f"The link to {page.plain(href)[:80] or '(none)'} has {what}: who "
                             "listens to the letter, or sees no images, cannot tell what it is. "
                             f"{'Say in alt where it leads' if pictured else 'Give it words'}.", at=link,
                             needle=href, level=Level.WARNING)
        return
    if words.strip(" .!…>»→").lower() in _VAGUE:
        yield page.fault("vague-link", f"The link “{words}” does not say where it leads, and some people hear only "
                         "the links: put words into it that stand alone.", at=link, level=Level.ADVICE)
    shown, leads = _SHOWN.match(words), parts_of(page.plain(href))
    if leads is None or page.begins_own(href):
        return
    host = (leads.hostname or "").lower()
    if shown and not _same_site(shown[1].lower(), host):
        yield page.fault("link-deceives", f"The link shows {shown[1]} and leads to {host}: mail programs take that "
                         "for a fraud. Let it show words, or the address that it leads to.", at=link, needle=href,
                         level=Level.WARNING)
    if host.removeprefix("www.") in SHORTENERS:
        yield page.fault("short-link", f"“{_label(page, link)}” goes through {host}: spam filters distrust links that "
                         "hide where they lead. Use the page's own address.", at=link, needle=href,
                         level=Level.WARNING)


def _same_site(shown: str, host: str) -> bool:
    """Whether two hosts are one website's, as far as their names tell."""
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    return shown == host or host.endswith("." + shown) or shown.endswith("." + host)


def _label(page: Page, link: etree._Element) -> str:
    words = page.words(link) or link.get("alt") or link.get("title") or "a link"
    return words if len(words) <= 60 else words[:59] + "…"
