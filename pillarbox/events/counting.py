"""What events add to the figures of their mailings, at the moment that they are taken in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from pillarbox.events import scanners
from pillarbox.model.states import RETURNED, Agent, EventKind, Outcome
from pillarbox.store import events as table
from pillarbox.store import tallies
from pillarbox.store.contributions import (
    NOTHING,
    Click,
    Mark,
    Response,
    Return,
    came_back,
    clicked,
    contribution,
    difference,
    heard,
    hour_of,
)
from pillarbox.store.events import ClickOrDelivery, Message

# By plain texts: an enumeration's members are hashed by Python.
_RANK = {str(outcome): outcome.rank for outcome in Outcome}
_OUTCOME = {str(kind): str(kind.outcome) for kind in EventKind if kind.outcome}
_DELIVERED, _CLICKED = str(EventKind.DELIVERED), str(EventKind.CLICKED)
_ARRIVED, _MACHINE = str(Outcome.DELIVERED), str(Agent.MACHINE)
_RETURNED = frozenset(map(str, RETURNED))
_OF_NO_COUNT = (str(EventKind.PROCESSED), str(EventKind.DEFERRED))
_CLICKED_BIT = int(Mark.CLICKED)


class Fact(NamedTuple):
    """An event that a message has from now on."""

    id: int
    """Of its row."""
    message_id: int
    kind: str
    """An ``EventKind``, as plain text."""
    at: datetime
    agent: str
    device: str


def count(connection: Connection, held: Mapping[int, Message], facts: Sequence[Fact]) -> None:
    """Tag clicks of scanners, and let the tallies follow what these facts change.

    Args:
        connection: the transaction that inserted the events.
        held: the messages that they are about, as they stood before, held until the transaction ends.
        facts: the events.
    """
    outcomes = _outcomes(held, facts)
    telling = [fact for fact in facts if fact.kind not in _OF_NO_COUNT]
    about = {fact.message_id for fact in telling}
    before = tallies.responses_of(connection, about)
    after = dict(before)
    to_judge = set()
    for _, message_id, kind, at, agent, device in telling:
        known = after.get(message_id, NOTHING)
        if kind == _CLICKED:
            to_judge.add(message_id)
            continue
        if kind == _DELIVERED and known.flags & _CLICKED_BIT:
            to_judge.add(message_id)
        after[message_id] = heard(known, kind, agent, hour_of(at), device)
    earlier, now = _judged(connection, to_judge, {fact.id for fact in telling})
    for message_id in to_judge:
        after[message_id] = clicked(after.get(message_id, NOTHING), now.get(message_id, ()))
    was_returned, is_returned = _returned(connection, held, outcomes, {fact.id for fact in telling},
                                          {fact.message_id for fact in telling if fact.kind in _RETURNED})
    tallies.keep(connection, {id_: response for id_, response in after.items()
                              if response != before.get(id_, NOTHING)})
    # A mailing's messages are delivered in the same few hours, and then opened: most go the same way as others.
    ways: Counter[_Way] = Counter()
    for message_id in about:
        row = held[message_id]
        ways[row.mailing_id, row.tracked, row.variant,
             before.get(message_id, NOTHING), after.get(message_id, NOTHING),
             row.outcome == _ARRIVED, outcomes.get(message_id, row.outcome) == _ARRIVED,
             earlier.get(message_id, ()), now.get(message_id, ()),
             was_returned.get(message_id), is_returned.get(message_id)] += 1
    tallies.add(connection, _changes(ways))


def _outcomes(held: Mapping[int, Message], facts: Iterable[Fact]) -> dict[int, str]:
    """The outcomes that messages have from now on, of those to which these facts give any."""
    found: dict[int, str] = {}
    for fact in facts:
        if outcome := _OUTCOME.get(fact.kind):
            so_far = found.get(fact.message_id) or held[fact.message_id].outcome
            found[fact.message_id] = outcome if _RANK[outcome] > _RANK[so_far] else so_far
    return found


_Clicks = tuple[Click, ...]
_Way = tuple[int, bool, str, Response, Response, bool, bool, _Clicks, _Clicks, Return | None, Return | None]
"""A message's mailing, tracking and variant; then before and after: response, delivered, clicks, how it came back."""


def _changes(ways: Mapping[_Way, int]) -> tallies.Changes:
    """What the mailings' figures change by: each way, and how many messages went it."""
    changes: tallies.Changes = Counter()
    for way, times in ways.items():
        mailing_id, tracked, variant, *standings = way
        if standings[0::2] == standings[1::2]:
            continue
        was, is_ = (contribution(response, clicks, tracked=tracked, delivered=delivered, variant=variant,
                                 returned=returned)
                    for response, delivered, clicks, returned in (way[3::2], way[4::2]))
        for (facet, key), n in difference(was, is_).items():
            changes[mailing_id, facet, key] += n * times
    return changes


def _returned(connection: Connection, held: Mapping[int, Message], outcomes: Mapping[int, str],
              new_ids: Collection[int], message_ids: Collection[int]) -> tuple[dict[int, Return], dict[int, Return]]:
    """How these messages came back, as it counted before and as it counts now; those that did not are left out."""
    told: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in table.refusals(connection, message_ids):
        told[row.message_id].append(row)
    was: dict[int, Return] = {}
    is_: dict[int, Return] = {}
    for message_id, own in told.items():
        outcome = held[message_id].outcome
        earlier = came_back(outcome, [(row.kind, row.reason, row.domain) for row in own if row.id not in new_ids])
        now = came_back(outcomes.get(message_id, outcome), [(row.kind, row.reason, row.domain) for row in own])
        was |= {message_id: earlier} if earlier else {}
        is_ |= {message_id: now} if now else {}
    return was, is_


def _judged(connection: Connection, message_ids: Collection[int], new_ids: Collection[int],
            ) -> tuple[dict[int, _Clicks], dict[int, _Clicks]]:
    """Tag what scanners clicked; returns each message's clicks as they counted before, and as they count now."""
    clicks: dict[int, list[ClickOrDelivery]] = defaultdict(list)
    delivered: dict[int, list[datetime]] = defaultdict(list)
    for row in table.clicks_and_deliveries(connection, message_ids):
        if row.kind == _DELIVERED:
            delivered[row.message_id].append(row.at)
        else:
            clicks[row.message_id].append(row)
    tagged: set[int] = set()
    earlier: dict[int, _Clicks] = {}
    now: dict[int, _Clicks] = {}
    for message_id, own in clicks.items():
        machine = scanners.by_machine([scanners.Click(row.id, row.at, row.url) for row in own], delivered[message_id])
        tagged |= {row.id for row in own if row.id in machine and row.agent != _MACHINE}
        earlier[message_id] = tuple(tallies.click(row.at, row.url, row.device, row.agent) for row in own
                                    if row.id not in new_ids)
        now[message_id] = tuple(tallies.click(row.at, row.url, row.device, _MACHINE if row.id in machine else row.agent)
                                for row in own)
    table.tag_machine(connection, tagged)
    return earlier, now
