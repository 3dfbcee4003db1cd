"""What stands behind the figures: what came back and why, which links were followed, what needs staff's hands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from pillarbox.model.causes import Cause
from pillarbox.model.states import RETURNED, EventKind, MessageState, Outcome
from pillarbox.reports import words
from pillarbox.store import tallies
from pillarbox.store.contributions import Facet
from pillarbox.store.schema import OURSELVES, TELLING, events, messages

_FEW_DOMAINS = 12
_OF_LINKS = {Facet.LINK_HUMAN: "human", Facet.LINK_SCANNER: "scanner", Facet.CLICKS_HUMAN: "clicks_human",
             Facet.CLICKS_SCANNER: "clicks_scanner"}
_DONATE_LINK = re.compile(r"/d/…(/monthly)?$")
"""Our own donate link, folded: who followed it is noted by ourselves, under the name of the page that it led to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Returned:
    """Messages that did not arrive, by what became of them and why."""

    by_reason: tuple[tuple[Outcome, str, int], ...]
    """Outcome, reason in plain words, messages; most first."""
    by_domain: tuple[tuple[str, int], ...]
    """Domains with two messages or more: a lone one could name a person; most first."""
    lone_domains: int
    """Messages at domains that are not listed."""

    @property
    def total(self) -> int:
        """How many did not arrive."""
        return sum(n for _, _, n in self.by_reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link in the letter, and in how many messages it was followed."""

    link: str
    """Without what belongs to one supporter."""
    human: int
    scanner: int
    """Messages in which only link scanners followed it."""
    clicks_human: int = 0
    """Clicks by people: someone who comes back counts again."""
    clicks_scanner: int = 0
    """Clicks by link scanners."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """What people read on; only of supporters who agreed to tracking. Someone who uses two is counted at each."""

    device: str
    """``phone``, ``tablet``, ``desktop`` or ``unknown``."""
    opened: int
    """Messages that a person opened on it."""
    clicked: int
    """Messages in which a person followed a link on it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Messages that surely did not go: state, why, how many."""

    state: MessageState
    detail: str
    """In plain words, without addresses; may be empty."""
    count: int


def returned(connection: Connection, mailing_id: int, ledger: Mapping[Outcome, int]) -> Returned:
    """What bounced, was turned away or not tried; every message once, by its outcome.

    Args:
        connection: to the database.
        mailing_id: of the mailing.
        ledger: how many have each outcome; of those that no event explains no reason was given.
    """
    reasons: Counter[tuple[Outcome, str]] = Counter()
    told: Counter[Outcome] = Counter()
    for key, n in tallies.of(connection, mailing_id, Facet.RETURNED)[Facet.RETURNED].items():
        outcome, _, cause = key.partition(" ")
        reasons[Outcome(outcome), words.cause(cause)] += n
        told[Outcome(outcome)] += n
    for outcome in RETURNED:
        if (untold := ledger[outcome] - told[outcome]) > 0:
            reasons[outcome, words.CAUSE[Cause.NOT_TOLD]] += untold
    listed = tallies.largest(connection, mailing_id, Facet.RETURNED_FROM, least=2, most=_FEW_DOMAINS)
    return Returned(
        by_reason=tuple(sorted(((outcome, reason, n) for (outcome, reason), n in reasons.items()),
                               key=lambda row: (RETURNED.index(row[0]), -row[2], row[1]))),
        by_domain=listed, lone_domains=sum(reasons.values()) - sum(n for _, n in listed))


def links(connection: Connection, mailing_id: int) -> tuple[Link, ...]:
    """Links that were followed, most by people first; supporters who agreed to tracking only."""
    found: dict[str, Counter[str]] = {}
    for facet, counts in tallies.of(connection, mailing_id, *_OF_LINKS).items():
        for link, n in counts.items():
            if not _DONATE_LINK.search(link):
                found.setdefault(words.link(link) or "(not told)", Counter())[_OF_LINKS[facet]] += n
    return tuple(sorted((Link(link=name, human=of["human"], scanner=of["scanner"], clicks_human=of["clicks_human"],
                              clicks_scanner=of["clicks_scanner"]) for name, of in found.items()),
                        key=lambda row: (-row.human, -row.scanner, row.link)))


def donation_pages(connection: Connection, mailing_id: int) -> frozenset[str]:
    """The pages to which this mailing's own donate link led those who followed it, as ``links`` names them."""
    return frozenset(words.link(url) for url in connection.execute(select(events.c.url).distinct().where(
        events.c.mailing_id == mailing_id, TELLING, events.c.kind == EventKind.CLICKED,
        events.c.provider == OURSELVES)).scalars() if url)


def devices(connection: Connection, mailing_id: int) -> tuple[Device, ...]:
    """What people opened and clicked on, most opened first; supporters who agreed to tracking only."""
    found = tallies.of(connection, mailing_id, Facet.OPENED_ON, Facet.CLICKED_ON)
    opened, clicked = found[Facet.OPENED_ON], found[Facet.CLICKED_ON]
    return tuple(sorted((Device(device=device, opened=opened.get(device, 0), clicked=clicked.get(device, 0))
                         for device in opened.keys() | clicked.keys()),
                        key=lambda row: (-row.opened, -row.clicked, row.device)))


def standing(connection: Connection, mailing_id: int) -> tuple[Standing, ...]:
    """Messages refused, or left out since planning, with the reasons."""
    # Named, so that the engines go to them by the index: of a million nearly all were accepted, or have not gone yet.
    rows = connection.execute(select(messages.c.state, messages.c.detail, func.count()).where(
        messages.c.mailing_id == mailing_id,
        messages.c.state.in_((MessageState.FAILED, MessageState.WITHDRAWN))).group_by(
        messages.c.state, messages.c.detail))
    folded: Counter[tuple[MessageState, str]] = Counter()
    for state, detail, n in rows:
        say = words.left_out if state == MessageState.WITHDRAWN and detail else words.without_addresses
        folded[MessageState(state), say(detail)] += n
    return tuple(Standing(state=state, detail=detail, count=n) for (state, detail), n in sorted(
        folded.items(), key=lambda item: (list(MessageState).index(item[0][0]), -item[1], item[0][1])))


def left_out_at_planning(excluded: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """The plan's exclusions in plain words, most first."""
    folded: Counter[str] = Counter()
    for reason, n in excluded.items():
        folded[words.left_out(reason)] += int(n)
    return tuple((reason, n) for reason, n in folded.most_common() if n)

