"""What is counted of a mailing as its events arrive, in the same transaction; and the recount that proves it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Select, delete, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from pillarbox.model.states import RETURNED, Agent, EventKind, Outcome
from pillarbox.store.connect import Store
from pillarbox.store.contributions import (
    NOTHING,
    Click,
    Facet,
    Response,
    came_back,
    clicked,
    contribution,
    difference,
    folded,
    heard,
    hour_of,
)
from pillarbox.store.events import hold_messages
from pillarbox.store.listed import PACKED, among, among_packed, gathered, listed_packed, pack
from pillarbox.store.schema import events, messages, responses, tallies
from pillarbox.store.upsert import insert_into

Changes = Counter[tuple[int, str, str]]
"""(mailing, facet, key) → what is to be added."""
_MESSAGES_AT_ONCE = 10_000


def of(connection: Connection, mailing_id: int, *facets: Facet) -> dict[Facet, dict[str, int]]:
    """A mailing's tallies: facet → key → how many."""
    found: dict[Facet, dict[str, int]] = {facet: {} for facet in facets}
    for facet, key, n in connection.execute(select(tallies.c.facet, tallies.c.key, tallies.c.n).where(
            tallies.c.mailing_id == mailing_id, tallies.c.facet.in_(facets), tallies.c.n != 0)):
        found[Facet(facet)][key] = n
    return found


def largest(connection: Connection, mailing_id: int, facet: Facet, *, least: int,
            most: int) -> tuple[tuple[str, int], ...]:
    """The named keys of a facet that stand for at least so many, most first, and no more of them than ``most``."""
    return tuple((key, n) for key, n in connection.execute(select(tallies.c.key, tallies.c.n).where(
        tallies.c.mailing_id == mailing_id, tallies.c.facet == facet, tallies.c.n >= least, tallies.c.key != "",
    ).order_by(tallies.c.n.desc(), tallies.c.key).limit(most)))


def of_all(connection: Connection, facet: Facet) -> dict[int, dict[str, int]]:
    """One facet of every mailing: mailing → key → how many."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for mailing_id, key, n in connection.execute(select(tallies.c.mailing_id, tallies.c.key, tallies.c.n).where(
            tallies.c.facet == facet, tallies.c.n != 0)):
        found[mailing_id][key] = n
    return found


def responses_of(connection: Connection, message_ids: Collection[int]) -> dict[int, Response]:
    """What was heard of these messages; those of which nothing was are left out."""
    if not message_ids:
        return {}
    found = connection.execute(_responding(connection.dialect.name), {PACKED: pack(message_ids)})
    rows = orjson.loads(found.scalar_one()) if connection.dialect.name == "sqlite" else found.all()
    return {row[0]: Response._make(row[1:]) for row in rows}


@cache
def _responding(engine: str) -> Select[Any]:
    sought = select(gathered(*responses.columns)) if engine == "sqlite" else select(responses)
    return sought.where(among_packed(engine, responses.c.message_id))


def keep(connection: Connection, found: Mapping[int, Response]) -> None:
    """Write what was heard of messages."""
    if not found:
        return
    rows = [(message, *response) for message, response in sorted(found.items())]
    connection.execute(_keeping(connection.dialect.name), {PACKED: pack(rows)})


@cache
def _keeping(engine: str) -> sqlite.Insert | postgresql.Insert:
    columns = list(responses.columns)
    statement = insert_into(engine, responses).from_select(
        [column.name for column in columns], listed_packed(engine, columns))
    return statement.on_conflict_do_update(
        index_elements=["message_id"],
        set_={column.name: statement.excluded[column.name] for column in columns[1:]})


def add(connection: Connection, changes: Mapping[tuple[int, str, str], int]) -> None:
    """Add to tallies, in a fixed order: at the end of a transaction, since others wait for the same rows."""
    rows = [(*key, change) for key, change in sorted(changes.items()) if change]
    if rows:
        connection.execute(_counting(connection.dialect.name), {PACKED: pack(rows)})


@cache
def _counting(engine: str) -> sqlite.Insert | postgresql.Insert:
    columns = list(tallies.columns)
    statement = insert_into(engine, tallies).from_select(
        [column.name for column in columns], listed_packed(engine, columns))
    return statement.on_conflict_do_update(
        index_elements=["mailing_id", "facet", "key"], set_={"n": tallies.c.n + statement.excluded.n})


@contextmanager
def recounted(connection: Connection, message_ids: Collection[int]) -> Iterator[None]:
    """Whatever the block changes of these messages' events or outcomes, their mailings' tallies follow."""
    ids = sorted(message_ids)
    hold_messages(connection, ids)
    before = _contributions(connection, ids)
    yield
    after = _contributions(connection, ids)
    keep(connection, {id_: after[id_].response for id_ in ids if after[id_].response != before[id_].response})
    changes: Changes = Counter()
    for id_ in ids:
        for (facet, key), n in difference(before[id_].counts, after[id_].counts).items():
            changes[after[id_].mailing_id, facet, key] += n
    add(connection, changes)
    _let_domains_go(connection, changes)


def _let_domains_go(connection: Connection, changes: Changes) -> None:
    """A lone domain may be somebody's name: where nobody is counted under one any more, it is not kept."""
    left: dict[int, list[str]] = defaultdict(list)
    for (mailing_id, facet, key), n in changes.items():
        if facet == Facet.RETURNED_FROM and n < 0:
            left[mailing_id].append(key)
    for mailing_id, domains in sorted(left.items()):
        connection.execute(delete(tallies).where(
            tallies.c.mailing_id == mailing_id, tallies.c.facet == Facet.RETURNED_FROM, tallies.c.n == 0,
            among(connection, tallies.c.key, domains)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counted:
    mailing_id: int
    response: Response
    counts: Mapping[tuple[str, str], int]


def _contributions(connection: Connection, message_ids: Collection[int]) -> dict[int, _Counted]:
    theirs = among(connection, events.c.message_id, message_ids)
    return _counted(list(connection.execute(_MESSAGES.where(among(connection, messages.c.id, message_ids)))),
                    connection.execute(_EVENTS.where(theirs)), connection.execute(_RETURNS.where(theirs)))


_MESSAGES = select(messages.c.id, messages.c.mailing_id, messages.c.tracked, messages.c.outcome, messages.c.variant)
_EVENTS = select(events.c.message_id, events.c.kind, events.c.at, events.c.agent, events.c.url, events.c.device).where(
    events.c.kind.in_([EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED, EventKind.UNSUBSCRIBED,
                       EventKind.COMPLAINED]))
_RETURNS = select(events.c.message_id, events.c.kind, events.c.reason, events.c.domain).where(
    events.c.kind.in_(RETURNED))


def _counted(of_messages: Collection[Any], told: Any, refused: Any) -> dict[int, _Counted]:
    """The recount: of all events of these messages, from nothing.

    Args:
        of_messages: as ``_MESSAGES`` reads them.
        told: their events, as ``_EVENTS`` reads them.
        refused: those that tell why they came back, as ``_RETURNS`` reads them.
    """
    found: dict[int, Response] = {}
    clicks: dict[int, list[Click]] = {}
    for message_id, kind, at, agent, url, device in told:
        if kind == EventKind.CLICKED:
            clicks.setdefault(message_id, []).append(click(at, url, device, agent))
        else:
            found[message_id] = heard(found.get(message_id, NOTHING), kind, agent, hour_of(at), device)
    for message_id, own in clicks.items():
        found[message_id] = clicked(found.get(message_id, NOTHING), own)
    why: dict[int, list[tuple[str, str, str]]] = {}
    for message_id, *telling in refused:
        why.setdefault(message_id, []).append((telling[0], telling[1], telling[2]))
    return {row.id: _Counted(mailing_id=row.mailing_id, response=found.get(row.id, NOTHING), counts=contribution(
        found.get(row.id, NOTHING), clicks.get(row.id, ()), tracked=row.tracked,
        delivered=row.outcome == Outcome.DELIVERED, variant=row.variant,
        returned=came_back(row.outcome, why.get(row.id, ())))) for row in of_messages}


def click(at: Any, url: str, device: str, agent: str) -> Click:
    """A row of ``events`` as a click."""
    return Click(hour_of(at), folded(url), device, agent == Agent.HUMAN)


# ------------------------------------------------------------------------------------------------ the recount


@dataclass(frozen=True, kw_only=True, slots=True)
class Recount:
    """What a recount of a mailing's events found."""

    mailing_id: int
    messages: int
    tallies: int
    """How many numbers there are."""
    wrong_tallies: int
    """Numbers that were kept and differ from the recount, or were missing."""
    wrong_messages: int
    """Messages whose own row of ``responses`` differed."""

    @property
    def equal(self) -> bool:
        """Whether all that was kept is what a recount gives."""
        return not (self.wrong_tallies or self.wrong_messages)


def check(store: Store, mailing_id: int, on_progress: Callable[[int], None] = lambda _done: None) -> Recount:
    """Count a mailing's events from nothing and compare; nothing is changed and nobody waits."""
    with store.snapshot() as connection:
        return _recount(connection, mailing_id, on_progress)


def rebuild(store: Store, mailing_id: int, on_progress: Callable[[int], None] = lambda _done: None) -> Recount:
    """The same; and where anything differed, put it right. Events wait meanwhile."""
    found = check(store, mailing_id, on_progress)
    if found.equal:
        return found
    with store.writing() as connection:
        return remake(connection, mailing_id)


def remake(connection: Connection, mailing_id: int) -> Recount:
    """Count a mailing's events from nothing, and write it down, within the caller's transaction."""
    if connection.dialect.name == "postgresql":
        # Who has events to add waits here, and adds them to what is written; what they say is not seen before.
        connection.execute(text("LOCK TABLE tallies IN EXCLUSIVE MODE"))
    return _recount(connection, mailing_id, lambda _done: None, write=True)


def _recount(connection: Connection, mailing_id: int, on_progress: Callable[[int], None], *,
             write: bool = False) -> Recount:
    first, last = connection.execute(select(func.min(messages.c.id), func.max(messages.c.id)).where(
        messages.c.mailing_id == mailing_id)).one()
    total: Counter[tuple[str, str]] = Counter()
    seen = wrong = 0
    # Along the ids, a span at a time; the additions keep the engines from the mailing's own indexes, out of this order.
    for start in range(first or 0, (last or -1) + 1, _MESSAGES_AT_ONCE):
        span = (start, start + _MESSAGES_AT_ONCE - 1)
        found = _counted(
            list(connection.execute(_MESSAGES.where(messages.c.id.between(*span),
                                                    messages.c.mailing_id + 0 == mailing_id))),
            *(connection.execute(asked.where(events.c.message_id.between(*span),
                                             events.c.mailing_id + 0 == mailing_id)) for asked in (_EVENTS, _RETURNS)))
        kept = {row[0]: Response(*row[1:]) for row in connection.execute(
            select(responses).where(responses.c.message_id.between(*span)))}
        differing = {id_: one.response for id_, one in found.items() if one.response != kept.get(id_, NOTHING)}
        if write:
            keep(connection, differing)
        wrong += len(differing)
        seen += len(found)
        for one in found.values():
            for key, n in one.counts.items():
                total[key] += n
        on_progress(len(found))
    known = {(row.facet, row.key): row.n for row in connection.execute(
        select(tallies).where(tallies.c.mailing_id == mailing_id))}
    changes = difference(known, total)
    if write and changes:
        connection.execute(delete(tallies).where(tallies.c.mailing_id == mailing_id))
        add(connection, Counter({(mailing_id, *key): n for key, n in total.items()}))
    return Recount(mailing_id=mailing_id, messages=seen, tallies=len(total), wrong_tallies=len(changes),
                   wrong_messages=wrong)
