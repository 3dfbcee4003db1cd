"""What stands behind the figures: what came back and why, which links were followed, what needs staff's hands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select
from sqlalchemy.sql import ColumnElement

from pillarbox.model.states import Agent, EventKind, MessageState, Outcome
from pillarbox.reports import words
from pillarbox.store.schema import events, messages

_RETURNED = (Outcome.BOUNCED, Outcome.BLOCKED, Outcome.DROPPED)
_FEW_DOMAINS = 12
_DONATE_LINK = "%/d/" + "_" * 30


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Messages that are not simply handed over: state, why, how many."""

    state: MessageState
    detail: str
    """In plain words, without addresses; may be empty."""
    count: int


def returned(connection: Connection, mailing_id: int) -> Returned:
    """What bounced, was turned away or not tried; every message once, by its outcome."""
    one = select(
        messages.c.id, messages.c.outcome, func.coalesce(func.min(events.c.reason), "").label("reason"),
        func.coalesce(func.min(events.c.domain), "").label("domain"),
    ).select_from(messages.outerjoin(events, (events.c.message_id == messages.c.id)
                                     & (events.c.kind == messages.c.outcome))).where(
        messages.c.mailing_id == mailing_id, messages.c.outcome.in_(_RETURNED)).group_by(
        messages.c.id, messages.c.outcome).subquery()
    reasons: Counter[tuple[Outcome, str]] = Counter()
    domains: Counter[str] = Counter()
    for outcome, reason, domain, n in connection.execute(
            select(one.c.outcome, one.c.reason, one.c.domain, func.count()).group_by(
                one.c.outcome, one.c.reason, one.c.domain)):
        reasons[Outcome(outcome), words.bounce(reason) if reason else "No reason given"] += n
        domains[domain] += n
    listed = tuple((domain, n) for domain, n in domains.most_common() if domain and n > 1)[:_FEW_DOMAINS]
    return Returned(
        by_reason=tuple(sorted(((outcome, reason, n) for (outcome, reason), n in reasons.items()),
                               key=lambda row: (_RETURNED.index(row[0]), -row[2], row[1]))),
        by_domain=listed, lone_domains=domains.total() - sum(n for _, n in listed))


def links(connection: Connection, mailing_id: int) -> tuple[Link, ...]:
    """Links that were followed, most by people first; supporters who agreed to tracking only."""
    bare = _without_query(connection, events.c.url).label("bare")
    one = select(events.c.message_id, bare, func.max(case((events.c.agent == Agent.HUMAN, 1), else_=0)).label("human"),
                 ).join_from(events, messages, messages.c.id == events.c.message_id).where(
        events.c.mailing_id == mailing_id, events.c.kind == EventKind.CLICKED, messages.c.tracked,
        # Our own donate link: who followed it is noted by ourselves, under the name of the page that it led to.
        events.c.url.not_like(_DONATE_LINK), events.c.url.not_like(f"{_DONATE_LINK}/monthly")).group_by(
        events.c.message_id, bare).subquery()
    human: Counter[str] = Counter()
    scanner: Counter[str] = Counter()
    for url, people, n in connection.execute(
            select(one.c.bare, func.sum(one.c.human), func.count()).group_by(one.c.bare)):
        name = words.link(url) or "(not told)"
        human[name] += int(people)
        scanner[name] += n - int(people)
    return tuple(sorted((Link(link=name, human=human[name], scanner=scanner[name]) for name in human),
                        key=lambda row: (-row.human, -row.scanner, row.link)))


def standing(connection: Connection, mailing_id: int) -> tuple[Standing, ...]:
    """Messages refused, in doubt, cancelled, left out since planning or still to go, with the reasons."""
    rows = connection.execute(select(messages.c.state, messages.c.detail, func.count()).where(
        messages.c.mailing_id == mailing_id, messages.c.state != MessageState.ACCEPTED).group_by(
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


def _without_query(connection: Connection, url: ColumnElement[str]) -> ColumnElement[str]:
    # Queries carry each supporter's code: cut in the database, or a million codes would come out.
    if connection.dialect.name == "sqlite":
        mark = func.instr(url, "?")
        return case((mark > 0, func.substr(url, 1, mark - 1)), else_=url)
    return func.split_part(url, "?", 1)
