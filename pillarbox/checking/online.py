"""Whether the pages that a letter leads to are there: the one check that goes to the network, and only when asked.

Only public addresses that are the same for every supporter are asked for: what is a supporter's own never leaves.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from lxml import etree

from pillarbox import __version__
from pillarbox.checking.links import parts_of
from pillarbox.checking.matter import Matter
from pillarbox.checking.page import Page
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "dead-link": "A page that the letter leads to is not there (only with --online).",
    "link-unanswered": "A website that the letter leads to does not answer (only with --online).",
    "moved-link": "A page that the letter leads to has moved for good (only with --online).",
    "links-unasked": "There was no time to ask for every page (only with --online).",
}

SECONDS = 30.0
"""For all links together."""
_CONNECT, _READ = 5.0, 8.0
"""Seconds for one request."""
_AT_ONCE = 4
_HOPS = 5
_GONE = (404, 410)
_MOVED = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)
_ASK_AGAIN = (403, 404, 405, 429, 500, 501, 503)
"""Answers to HEAD that a plain GET may better: many websites know GET alone, or take HEAD for a robot's."""
_HEADERS = {"User-Agent": f"Pillarbox/{__version__} (link check of a letter, once, by hand)", "Accept": "*/*"}


class _InHouseError(Exception):
    """A machine that is not of the public internet."""


class Fate(StrEnum):
    """What became of asking for a page."""

    THERE = "there"
    GONE = "gone"
    MOVED = "moved"
    SILENT = "silent"
    UNASKED = "unasked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a website said."""

    fate: Fate
    words: str = ""
    """For people: "404 Not Found"; where it moved to."""


def look(matter: Matter) -> Iterator[Finding]:
    """Ask for every public page that a letter leads to, for half a minute at most."""
    places: dict[str, tuple[Page, etree._Element]] = {}
    for page in matter.pages:
        for link in page.all("a", "area"):
            href = (link.get("href") or "").strip()
            if not page.is_own(href) and href.startswith(("http://", "https://")) and parts_of(href):
                places.setdefault(href, (page, link))
    yield from _told(places, ask(tuple(places)))


def _told(places: Mapping[str, tuple[Page, etree._Element]], answers: Mapping[str, Answer]) -> Iterator[Finding]:
    if len(answers) > 1 and all(answer.fate is Fate.SILENT for answer in answers.values()):
        page, _ = next(iter(places.values()))
        yield page.fault("link-unanswered", f"None of the {len(answers)} pages that the letter leads to answers: see "
                         "whether this machine is online, and check again.", level=Level.WARNING)
        return
    unasked = 0
    for href, answer in answers.items():
        page, link = places[href]
        words = page.words(link)[:60] or "A link"
        match answer.fate:
            case Fate.GONE:
                yield page.fault("dead-link", f"“{words}” leads to {href[:120]}, which is not there ({answer.words}): "
                                 "mend the address.", at=link, needle=href)
            case Fate.SILENT:
                yield page.fault("link-unanswered", f"“{words}” leads to {href[:120]}, which does not answer "
                                 f"({answer.words}): try it in a browser.", at=link, needle=href,
                                 level=Level.WARNING)
            case Fate.MOVED:
                yield page.fault("moved-link", f"“{words}” leads to {href[:120]}, which has moved for good: use "
                                 f"{answer.words[:160]}.", at=link, needle=href, level=Level.ADVICE)
            case Fate.UNASKED:
                unasked += 1
    if unasked:
        page, _ = next(iter(places.values()))
        yield page.fault("links-unasked", f"{unasked} of {len(places)} pages were not asked for: {SECONDS:.0f} seconds "
                         "were over. Check again for the rest.", level=Level.ADVICE)


def ask(addresses: tuple[str, ...], *, seconds: float = SECONDS,
        allowed: Callable[[str], bool] | None = None) -> dict[str, Answer]:
    """What became of asking for each of these addresses.

    Args:
        addresses: whole web addresses, each once.
        seconds: when these are over, what was not asked yet is left.
        allowed: whether a machine of this number (IP) may be asked; the public internet's alone when not said.
    """
    until = time.monotonic() + seconds
    visitor = _Visitor(allowed=allowed or is_public, until=until)
    with ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="links") as pool:
        return dict(zip(addresses, pool.map(visitor.ask, addresses), strict=True))


def is_public(number: str) -> bool:
    """Whether an IP address is one of the public internet: not of this machine, this office or a cloud's inside."""
    try:
        address = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visitor:
    allowed: Callable[[str], bool]
    until: float
    """When to stop (monotonic)."""

    def ask(self, address: str) -> Answer:
        if time.monotonic() > self.until:
            return Answer(fate=Fate.UNASKED)
        try:
            return self._follow(address)
        except _InHouseError:
            return Answer(fate=Fate.SILENT, words="it is inside a house’s own network, where readers are not, and was "
                                                  "not asked")
        except socket.gaierror:
            return Answer(fate=Fate.SILENT, words="no such website is known from here")
        except urllib3.exceptions.SSLError:
            return Answer(fate=Fate.SILENT, words="its certificate is not valid")
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as fault:
            if time.monotonic() >= self.until:
                return Answer(fate=Fate.UNASKED)  # it was our time that was over, not theirs
            slow = isinstance(fault, urllib3.exceptions.TimeoutError) and not isinstance(
                fault, urllib3.exceptions.NewConnectionError)
            return Answer(fate=Fate.SILENT, words="it takes too long" if slow else "the connection failed")

    def _follow(self, address: str) -> Answer:
        at, moved = address, ""
        for _ in range(_HOPS):
            status, reason, onwards = self._one(at)
            if status in _REDIRECTS and onwards:
                following = urljoin(at, onwards)
                if status in _MOVED and (not moved or moved == at):
                    moved = following
                at = following
                continue
            if status in _GONE:
                return Answer(fate=Fate.GONE, words=f"{status} {reason}".strip())
            if status >= 500:
                return Answer(fate=Fate.SILENT, words=f"{status} {reason}".strip())
            # 401, 403 and 429 keep robots out, and readers in: the page is there.
            if moved and _differs(address, moved):
                return Answer(fate=Fate.MOVED, words=moved)
            return Answer(fate=Fate.THERE)
        return Answer(fate=Fate.SILENT, words="it sends on and on")

    def _one(self, address: str) -> tuple[int, str, str]:
        """Status, its words, and where it sends on to."""
        parts = parts_of(address)
        if parts is None or parts.scheme not in ("http", "https"):
            raise ValueError("no web address")
        pool = self._connection(parts)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            found = pool.request("HEAD", target, redirect=False, retries=False, preload_content=False,
                                 timeout=self._patience())
            if found.status in _ASK_AGAIN and time.monotonic() < self.until:
                found.close()
                found = pool.request("GET", target, redirect=False, retries=False, preload_content=False,
                                     timeout=self._patience())
            found.close()  # a page's words are not read
            return found.status, found.reason or "", found.headers.get("Location", "")
        finally:
            pool.close()

    def _patience(self) -> urllib3.Timeout:
        """Seconds for one request: never more than are left for all, however often a website sends on.

        Raises:
            TimeoutError: none are left.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return urllib3.Timeout(total=left, connect=_CONNECT, read=_READ)

    def _connection(self, parts: SplitResult) -> urllib3.HTTPConnectionPool:
        """A connection to the very machine whose number was found public: its name cannot come to mean another."""
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        numbers = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not numbers or not all(map(self.allowed, numbers)):
            raise _InHouseError
        headers = _HEADERS | {"Host": parts.netloc.rpartition("@")[2]}
        if parts.scheme == "http":
            return urllib3.HTTPConnectionPool(numbers[0], port, headers=headers)
        return urllib3.HTTPSConnectionPool(numbers[0], port, headers=headers, server_hostname=host,
                                           assert_hostname=host)


def _differs(address: str, moved: str) -> bool:
    """Whether an address moved to another page, and not only to its own with a slash, or a language."""
    one, other = urlsplit(address), urlsplit(moved)
    return (one.netloc.removeprefix("www."), one.path.rstrip("/")) != (
        other.netloc.removeprefix("www."), other.path.rstrip("/"))
