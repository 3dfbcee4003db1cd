"""Apply a provider's events: once each, in any order, all or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from pillarbox.events import consequences, ledger
from pillarbox.events.counting import Fact, count
from pillarbox.events.devices import device
from pillarbox.events.ledger import Alarm, Sign
from pillarbox.events.matching import Matched, match, same_send
from pillarbox.ground import address, clock, logs, metrics
from pillarbox.ground.keys import dated_digest
from pillarbox.model.records import Event
from pillarbox.store import events as table
from pillarbox.store import tallies
from pillarbox.store.connect import Store
from pillarbox.store.listed import moment

log = logs.get("events")

HEARD = "events-heard:{provider}"
"""Mark: the time of the newest event that this provider reported."""
RECEIVED = "events-received:{provider}"
"""Mark: when this provider last reported anything."""

AHEAD = timedelta(minutes=5)
"""How far a provider's clock may be before ours."""

CHUNK = 5_000
"""Events looked at together: databases take only so many parameters in one statement (32,766 in SQLite)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What came of a post or file of events."""

    new: int = 0
    """Heard for the first time, and acted on."""
    repeated: int = 0
    """Heard before: nothing was done."""
    foreign: int = 0
    """About no message and no address of ours (other mail of the same account): not kept."""
    unmatched: int = 0
    """Of the new ones: about a supporter of ours, but no telling which message."""
    alarms: tuple[Alarm, ...] = ()
    """Messages that the ledger thought unsent, or that were sent again after it did."""

    def __add__(self, other: Applied) -> Applied:
        return Applied(new=self.new + other.new, repeated=self.repeated + other.repeated,
                       foreign=self.foreign + other.foreign, unmatched=self.unmatched + other.unmatched,
                       alarms=self.alarms + other.alarms)


def apply(store: Store, events: Sequence[Event], *, secret: bytes) -> Applied:
    """Take in events in one transaction; repeating it, or any part of it in any order, changes nothing more.

    Raises:
        StoreError: the database is busy or away; nothing was taken in, and the same post may come again.
    """
    if not events:
        return Applied()
    with store.writing() as connection:
        applied = sum((take_in(connection, events[start : start + CHUNK], secret=secret)
                       for start in range(0, len(events), CHUNK)), Applied())
    _tell(applied)
    return applied


def _tell(applied: Applied) -> None:
    """Counted and logged once it is committed."""
    counts = {"new": applied.new, "repeated": applied.repeated, "foreign": applied.foreign,
              "unmatched": applied.unmatched}
    metrics.count(metrics.EVENTS, counts)
    metrics.ALARMS.inc(len(applied.alarms))
    log.info("events.taken-in", **counts, alarms=len(applied.alarms))
    for alarm in applied.alarms:
        log.warning("events.left-after-all", message=alarm.message_id, mailing=alarm.mailing_id, state=alarm.state)


def take_in(connection: Connection, events: Sequence[Event], *, secret: bytes) -> Applied:
    """The same within the caller's transaction, for at most ``CHUNK`` events."""
    # Two posts that share events or messages wait for each other instead of locking each other out, for each goes the
    # same way: supporters and messages by id, events by fingerprint, suppressions, consents, tallies by key, marks by
    # name. Who leaves or is forgotten goes the same way: messages after their supporter, and all else after both.
    now = clock.now()
    events = _not_ahead(events, now)
    matched = sorted(match(connection, events, secret), key=lambda item: item.event.fingerprint)
    forgotten = consequences.hold(connection, matched)
    known = {item.message.id: item.message for item in matched if item.message is not None}
    held = table.hold_messages(connection, sorted({*known, *_Late.likely(connection, matched)}), known)
    matched = _as_they_are_now(matched, forgotten, held)
    ours = [item for item in matched if not item.foreign]
    received = moment(connection, now)
    ids = table.add_new(connection, [_row(item, moment(connection, item.event.at), received) for item in ours])
    new = _first_of_each(ours, ids)
    consequences.act(connection, [*new, *(item for item in matched if item.foreign)])
    facts, signs = [], []
    for item in new:
        event, message = item.event, item.message
        if message is not None:
            kind = str(event.kind)
            facts.append(Fact(ids[event.fingerprint], message.id, kind, event.at, str(event.agent),
                              device(event.user_agent)))
            signs.append(Sign(message.id, kind, event.at, event.provider_id, event.attempt_id))
    late = _Late.of(connection, {sign.provider_id for sign in signs})
    if owners := late.owners - held.keys():  # SQLite's, and those of events that came just now
        held |= table.hold_messages(connection, sorted(owners))
    alarms = ledger.settle(connection, signs, held)
    late_facts, late_alarms = late.tie(connection)
    count(connection, held, [*facts, *late_facts])
    for provider in sorted({event.provider for event in events}):
        newest = max(event.at for event in events if event.provider == provider)
        table.mark(connection, HEARD.format(provider=provider), newest)
        table.mark(connection, RECEIVED.format(provider=provider), now)
    return Applied(new=len(new), repeated=len(ours) - len(new), foreign=len(matched) - len(ours),
                   unmatched=sum(item.message is None for item in new), alarms=(*alarms, *late_alarms))


def _not_ahead(events: Sequence[Event], now: datetime) -> Sequence[Event]:
    """An event that says it will happen is one that happened by now: clocks differ, and none may tell the future.

    Else "heard until" would stand in the days to come, and the curve over time would end there.
    """
    latest = now + AHEAD
    with suppress(TypeError):  # one without a zone is refused when it is written
        if all(event.at <= latest for event in events):
            return events
    return [event._replace(at=now) if event.at.tzinfo is not None and event.at > latest else event for event in events]


def tie_late(store: Store) -> int:
    """Tie events that came before their messages' receipts to those messages, and act on them.

    Returns:
        How many events found their message.
    """
    with store.writing() as connection:
        late = _Late.of(connection, None)
        held = table.hold_messages(connection, sorted(late.owners))
        facts, _ = late.tie(connection)
        count(connection, held, facts)
    return len(facts)


def heal(store: Store, mailing_id: int) -> int:
    """Settle what is in doubt of a mailing by the events that were heard already.

    Most events heal as they come. What is left: those that lost our ids and came before a receipt, and those about
    messages that were put in doubt after them (a restored database).

    Returns:
        How many messages are no longer in doubt.
    """
    tie_late(store)
    with store.writing() as connection:
        signs = [Sign(message_id=row.message_id, kind=row.kind, at=row.at, provider_id=row.provider_id)
                 for row in table.about_doubt(connection, mailing_id)]
        about = sorted({sign.message_id for sign in signs})
        with tallies.recounted(connection, about):
            ledger.settle(connection, signs, table.hold_messages(connection, about))
    return len(about)


def _row(item: Matched, at: str | None, received: str | None) -> tuple[Any, ...]:
    """As ``store.events.KEPT`` names it; of who was forgotten what ``people.rights.forget`` leaves."""
    event, message = item.event, item.message
    url, reason, domain, raw = ("", "", "", None) if item.forgotten else (
        event.url, event.reason, address.domain(event.address or item.address or ""), event.raw)
    return (message.id if message is not None else None, message.mailing_id if message is not None else None,
            # Plain texts: the drivers look for a way to write anything else.
            str(event.kind), at, received, event.provider,
            # An event without an id of its own must not pass for another such one.
            dated_digest(int(event.at.timestamp()), event.provider, event.provider_event_id)
            if event.provider_event_id else event.fingerprint, event.fingerprint, event.provider_id,
            item.address_hash or None, str(event.agent), url, reason, domain, device(event.user_agent), raw)


def _first_of_each(ours: Sequence[Matched], new_ids: Mapping[str, int]) -> list[Matched]:
    """The events that were inserted, each once though a post may hold it twice."""
    waiting = set(new_ids)
    found = []
    for item in ours:
        if item.event.fingerprint in waiting:
            waiting.discard(item.event.fingerprint)
            found.append(item)
    return found


def _as_they_are_now(matched: list[Matched], forgotten: Set[int],
                     held: Mapping[int, table.Message]) -> list[Matched]:
    """The same, but of those who were forgotten while this post waited for them nothing is kept, here neither."""
    gone = {item.message.id for item in matched
            if item.message is not None and item.message.address and not held[item.message.id].address}
    if not gone and not forgotten:
        return matched
    return [item._replace(address_hash="", address=None, forgotten=True) if item.supporter_id in forgotten
            or not forgotten.isdisjoint(item.people)
            or (item.message is not None and item.message.id in gone) else item for item in matched]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Late:
    """Events that no message owns yet, and the messages that may turn out to be theirs.

    A bounce without our id may come before the event or receipt that tells us the provider's: look back for it.
    """

    waiting: Sequence[Row[Any]]
    owners: frozenset[int]

    @classmethod
    def of(cls, connection: Connection, provider_ids: Collection[str] | None) -> _Late:
        """What waits for these ids of the provider, or all that waits."""
        waiting = table.ownerless(connection, provider_ids)
        return cls(waiting=waiting, owners=frozenset(row.id for row in table.messages_by_address(
            connection, {row.address_hash for row in waiting})))

    @staticmethod
    def likely(connection: Connection, matched: Sequence[Matched]) -> set[int]:
        """The owners of what waits for these events, to be held with their messages: held later, when others hold the
        events, two posts would lock each other out, as would a post and who is forgotten."""
        if connection.dialect.name == "sqlite":  # which has one writer
            return set()
        told = {item.event.provider_id for item in matched if item.message is not None}
        waiting = table.ownerless(connection, told, hold=False)
        return {row.id for row in table.messages_by_address(connection, {row.address_hash for row in waiting})}

    def tie(self, connection: Connection) -> tuple[list[Fact], list[Alarm]]:
        """Give each event the message that it is about, as far as that is now known; the owners must be held."""
        # Read again: other events of this post may just have told what the provider calls them.
        owners = [row for row in table.messages_by_address(connection, {row.address_hash for row in self.waiting})
                  if row.id in self.owners]
        signs, ties, facts, seen = [], [], [], {}
        for row in self.waiting:
            message = same_send(row.provider_id, [owner for owner in owners if owner.address_hash == row.address_hash])
            if message is not None:
                seen[message.id] = message
                ties.append({"event": row.id, "message": message.id, "mailing": message.mailing_id})
                signs.append(Sign(message_id=message.id, kind=row.kind, at=row.at, provider_id=row.provider_id))
                facts.append(Fact(row.id, message.id, row.kind, row.at, row.agent, row.device))
        table.give_owner(connection, ties)
        return facts, ledger.settle(connection, signs, seen)
