"""How supporters and their mail programs take the letters: seeded, plausible, and independent of batch or order.

What people do does not hang on tracking; what SendGrid hears of it does (``events.py``). The rates are ours, chosen
so that 500 letters show some of everything; they are no measurement of anybody's supporters.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pillarbox.standin.mailbox import Kept
from pillarbox.standin.suppressions import Suppressions

_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_NOT_FOR_READERS = re.compile(r"unsubscribe|preferences|/u/|/p/[a-z2-7]{30}|/view", re.IGNORECASE)
_SLEEP = range(0, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Shares, 0 to 1, of the messages that come to each end or act."""

    hard_bounce: float = 0.012
    blocked: float = 0.006
    dropped: float = 0.003
    deferred: float = 0.02
    """Deferred for a while, then delivered."""
    opened: float = 0.34
    """Of the delivered: read by a person."""
    apple_privacy: float = 0.30
    """Of the delivered: fetched by Apple's mail privacy proxy, read or not."""
    google_proxy: float = 0.35
    """Of the readers: those whose opens come through Google's image proxy."""
    clicked: float = 0.18
    """Of the readers."""
    scanner: float = 0.04
    """Of the delivered: a link scanner follows every link at once."""
    complained: float = 0.002
    left: float = 0.006
    """Of the delivered: unsubscribed."""
    repeated: float = 0.02
    """Of the events: posted twice."""
    without_arguments: float = 0.1
    """Of the bounces: reported late, without custom arguments (delayed bounces, event webhook page, read 2026-11)."""


class Fate(StrEnum):
    """What became of a message on its way."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction:
    """One message's whole story; times are aware."""

    message: Kept
    fate: Fate
    drop_reason: str
    """SendGrid's words, for a dropped message."""
    processed_at: datetime
    deferrals: tuple[datetime, ...]
    settled_at: datetime
    """Delivered, bounced, blocked or dropped."""
    apple_at: datetime | None
    scanned_at: datetime | None
    opened_at: tuple[datetime, ...]
    """When a person read it."""
    by_google_proxy: bool
    clicks: tuple[tuple[datetime, str], ...]
    """When a person followed which link."""
    complained_at: datetime | None
    left_at: datetime | None


def links(message: Kept) -> list[str]:
    """The web links of a letter's HTML part, in order, each once."""
    found = (html.unescape(one or other).strip() for one, other in _HREF.findall(message.html))
    return list(dict.fromkeys(url for url in found if url.lower().startswith(("http://", "https://"))))


def reactions(messages: Iterable[Kept], *, seed: int, rates: Rates | None = None, sent: datetime | None = None,
              days: int = 7, suppressions: Suppressions | None = None) -> list[Reaction]:
    """What becomes of each message within some days of its sending.

    Args:
        messages: what the mailbox kept.
        seed: the same seed, address and categories always react alike.
        rates: how many do what.
        sent: taken as the moment of sending (aware); None: when each message was accepted.
        days: nothing happens later than this after the sending.
        suppressions: messages to addresses on these lists are dropped, as SendGrid does.
    """
    chosen = rates or Rates()
    return [_reaction(one, random.Random(f"{seed}|{one.address.lower()}|{'|'.join(one.categories)}"), chosen,
                      sent or one.accepted_at, days, suppressions.why(one.address) if suppressions else None)
            for one in messages]


def _reaction(message: Kept, dice: random.Random, rates: Rates, sent: datetime, days: int,
              suppressed: str | None) -> Reaction:
    end = sent + timedelta(days=days)
    processed = sent + timedelta(seconds=dice.uniform(0, 3))
    fate, reason = _fate(dice, rates, suppressed)
    deferrals: tuple[datetime, ...] = ()
    settled = processed + timedelta(seconds=dice.uniform(0.5, 40))
    if fate is Fate.DELIVERED and dice.random() < rates.deferred:
        deferrals = tuple(settled + timedelta(minutes=20 * attempt) for attempt in range(dice.randint(1, 3)))
        settled = deferrals[-1] + timedelta(minutes=dice.uniform(10, 30))
    reached = fate is Fate.DELIVERED
    apple = settled + timedelta(minutes=dice.expovariate(1 / 45)) if reached and dice.random() < rates.apple_privacy \
        else None
    scanned = settled + timedelta(seconds=dice.uniform(0.1, 1)) if reached and dice.random() < rates.scanner else None
    opened = _openings(dice, rates, settled, end) if reached else ()
    clicks = _clicks(dice, rates, opened, links(message), end) if opened else ()
    complained = _later(dice, opened, end) if opened and dice.random() < rates.complained / rates.opened else None
    left = _later(dice, opened, end) if opened and dice.random() < rates.left / rates.opened else None
    return Reaction(
        message=message, fate=fate, drop_reason=reason, processed_at=processed, deferrals=deferrals,
        settled_at=settled, apple_at=apple if apple and apple < end else None, scanned_at=scanned, opened_at=opened,
        by_google_proxy=dice.random() < rates.google_proxy, clicks=clicks, complained_at=complained, left_at=left)


def _fate(dice: random.Random, rates: Rates, suppressed: str | None) -> tuple[Fate, str]:
    point = dice.random()
    if suppressed:
        return Fate.DROPPED, suppressed
    for fate, share in ((Fate.BOUNCED, rates.hard_bounce), (Fate.BLOCKED, rates.blocked),
                        (Fate.DROPPED, rates.dropped)):
        if point < share:
            return fate, "Bounced Address" if fate is Fate.DROPPED else ""
        point -= share
    return Fate.DELIVERED, ""


def _openings(dice: random.Random, rates: Rates, delivered: datetime, end: datetime) -> tuple[datetime, ...]:
    if dice.random() >= rates.opened:
        return ()
    # Half of the readers within three hours, a long tail over days; people who sleep read in the morning.
    first = delivered + timedelta(hours=min(dice.lognormvariate(1.1, 1.4), 24 * 6))
    moments = [_awake(dice, first)]
    while dice.random() < 0.25 and len(moments) < 4:
        moments.append(_awake(dice, moments[-1] + timedelta(hours=dice.expovariate(1 / 20))))
    return tuple(moment for moment in moments if moment < end)


def _awake(dice: random.Random, moment: datetime) -> datetime:
    if moment.hour in _SLEEP:
        return moment.replace(hour=7, minute=dice.randrange(60), second=dice.randrange(60))
    return moment


def _clicks(dice: random.Random, rates: Rates, opened: tuple[datetime, ...], urls: list[str],
            end: datetime) -> tuple[tuple[datetime, str], ...]:
    inviting = [url for url in urls if not _NOT_FOR_READERS.search(url)]
    if not inviting or dice.random() >= rates.clicked:
        return ()
    # The letter's own call to act comes first and draws most.
    first = next((url for url in inviting if re.search(r"donat|give|sign|/d/", url, re.IGNORECASE)), inviting[0])
    moment = opened[0] + timedelta(seconds=dice.uniform(15, 400))
    found = [(moment, first if dice.random() < 0.75 else dice.choice(inviting))]
    if dice.random() < 0.3:
        found.append((moment + timedelta(seconds=dice.uniform(20, 900)), dice.choice(inviting)))
    return tuple((at, url) for at, url in found if at < end)


def _later(dice: random.Random, opened: tuple[datetime, ...], end: datetime) -> datetime | None:
    moment = opened[-1] + timedelta(seconds=dice.uniform(5, 3_600))
    return moment if moment < end else None
