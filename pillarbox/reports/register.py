"""The list of a mailing's messages, a page at a time, and one message with all that was heard of it.

Staff alone see it: it names people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import Column, Connection, Row, and_, func, select, union_all

from pillarbox.ground import address as addresses
from pillarbox.model.causes import cause_of
from pillarbox.model.states import Agent, EventKind, MessageState, Outcome
from pillarbox.reports import words
from pillarbox.store import letters
from pillarbox.store.contributions import Mark
from pillarbox.store.letters import Kept
from pillarbox.store.schema import donations, events, messages, responses

LONGEST_SEARCH = 254
"""No address is longer (RFC 5321, section 4.5.3.1.3, less its brackets)."""
MOST_EVENTS = 500
_EXPLAINED = (EventKind.BOUNCED, EventKind.BLOCKED, EventKind.DROPPED, EventKind.DEFERRED)
_COMEBACKS = (Outcome.BOUNCED, Outcome.BLOCKED, Outcome.DROPPED)

SHOWN: Mapping[str, tuple[str, tuple[MessageState, ...], tuple[Outcome, ...]]] = {
    "all": ("All", tuple(MessageState), tuple(Outcome)),
    "delivered": ("Delivered", tuple(MessageState), (Outcome.DELIVERED,)),
    "came-back": ("Came back", tuple(MessageState), _COMEBACKS),
    "silent": ("Nothing heard yet", (MessageState.ACCEPTED,), (Outcome.NONE, Outcome.DEFERRED)),
    "in-doubt": ("Not sure it went", (MessageState.IN_DOUBT,), tuple(Outcome)),
    "refused": ("Refused", (MessageState.FAILED,), tuple(Outcome)),
    "left-out": ("Left out or cancelled", (MessageState.WITHDRAWN, MessageState.CANCELLED), tuple(Outcome)),
    "to-go": ("Still to go", (MessageState.PLANNED, MessageState.SUBMITTING), tuple(Outcome)),
}
"""What a list may show: its word, the states and the outcomes of its messages."""

HEARD = {
    EventKind.PROCESSED: "Taken by SendGrid", EventKind.DELIVERED: "Delivered", EventKind.DEFERRED: "Put off, to be "
    "tried again", EventKind.BOUNCED: "Bounced", EventKind.BLOCKED: "Turned away", EventKind.DROPPED: "Not tried",
    EventKind.OPENED: "Opened", EventKind.CLICKED: "Link followed", EventKind.COMPLAINED: "Marked as spam",
    EventKind.UNSUBSCRIBED: "Unsubscribed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One message in the list."""

    id: int
    address: str
    """Empty when the supporter was forgotten."""
    to_name: str
    state: MessageState
    outcome: Outcome
    tracked: bool
    flags: Mark
    """What was heard of it."""
    accepted_at: datetime | None
    detail: str
    """In plain words."""
    variant: str = ""
    """Of the letter; empty where there is only one."""

    @property
    def standing(self) -> str:
        """Where it is, in staff's words: what was heard once it had left."""
        return words.OUTCOME[self.outcome] if self.outcome is not Outcome.NONE else words.STATE[self.state]

    @property
    def read(self) -> str:
        """What its reader did, as far as that may be known."""
        if not self.tracked:
            return "not known"
        if self.flags & Mark.CLICKED_HUMAN:
            return "followed a link"
        if self.flags & Mark.OPENED_HUMAN:
            return "opened"
        return "machines only" if self.flags & (Mark.OPENED | Mark.CLICKED) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """One event of a message."""

    at: datetime
    kind: EventKind
    what: str
    """In staff's words."""
    by_machine: bool
    device: str
    """Empty when unknown."""
    link: str
    """Without what is the supporter's own; empty when it was no click."""
    reason: str
    """In plain words; empty when none was given."""
    provider_says: str
    """The same in the provider's words, without addresses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One message, whole."""

    entry: Entry
    supporter_id: int
    events: tuple[Heard, ...]
    """Oldest first, at most ``MOST_EVENTS``."""
    gifts: tuple[Row[Any], ...]
    """Donations tied to it: received_at, amount_minor, currency, attribution."""
    subject: str
    """Empty when no copy is kept any more."""


_ENTRY: tuple[Column[Any], ...] = (
    messages.c.id, messages.c.address, messages.c.to_name, messages.c.state, messages.c.outcome, messages.c.tracked,
    messages.c.accepted_at, messages.c.detail, messages.c.variant)


def page(connection: Connection, mailing_id: int, *, shown: str = "all", after: int = 0, most: int) -> list[Entry]:
    """At most so many messages with larger ids than ``after``, in the order of planning.

    Args:
        shown: a key of ``SHOWN``.
    """
    _, states, outcomes = SHOWN[shown]
    # Each combination is a walk along the index ``ix_messages_standing``, which has them in the order of their ids:
    # of a million messages none is sorted.
    walks = [select(select(messages.c.id).where(
        messages.c.mailing_id == mailing_id, messages.c.state == state, messages.c.tracked == tracked,
        messages.c.outcome == outcome, messages.c.id > after).order_by(messages.c.id).limit(most).subquery())
        for state, outcome, tracked in product(states, outcomes, (False, True))]
    ids = union_all(*walks).subquery()
    first = select(ids.c.id).order_by(ids.c.id).limit(most).scalar_subquery()
    return _entries(connection, messages.c.id.in_(first))


def search(connection: Connection, mailing_id: int, wanted: str, secret: bytes, *, after: int = 0,
           most: int) -> list[Entry]:
    """Messages of a mailing whose address is this one, or holds these letters; as ``page``.

    Every letter means itself: there are no wildcards.
    """
    text = wanted.strip().lower()[:LONGEST_SEARCH]
    if not text:
        return []
    exact = _exact(text, secret)
    if exact:
        found = _entries(connection, and_(messages.c.address_hash == exact, messages.c.mailing_id == mailing_id,
                                          messages.c.id > after))
        if found or after:
            return found
    first, last = connection.execute(select(func.min(messages.c.id), func.max(messages.c.id)).where(
        messages.c.mailing_id == mailing_id)).one()
    # Along the ids, which the addition has the engines do: the page is full long before the end, if it ever is.
    ids = select(messages.c.id).where(
        messages.c.id.between(max(after + 1, first or 0), last or 0), messages.c.mailing_id + 0 == mailing_id,
        messages.c.address.contains(text, autoescape=True)).order_by(messages.c.id).limit(most).scalar_subquery()
    return _entries(connection, messages.c.id.in_(ids))


def told(connection: Connection, mailing_id: int, message_id: int) -> Told | None:
    """One message of a mailing; None when it is not this mailing's, or not at all."""
    found = _entries(connection, and_(messages.c.id == message_id, messages.c.mailing_id == mailing_id))
    if not found:
        return None
    supporter = connection.execute(select(messages.c.supporter_id).where(messages.c.id == message_id)).scalar_one()
    copy = kept(connection, mailing_id, message_id)
    return Told(entry=found[0], supporter_id=supporter, events=_events(connection, message_id),
                gifts=_gifts(connection, message_id), subject=_subject(copy) if copy else "")


def kept(connection: Connection, mailing_id: int, message_id: int) -> Kept | None:
    """The supporter's copy as it was composed; None when it is not this mailing's, or not kept any more."""
    key = connection.execute(select(messages.c.key).where(
        messages.c.id == message_id, messages.c.mailing_id == mailing_id)).scalar_one_or_none()
    return letters.kept_by_key(connection, key) if key else None


def _subject(copy: Kept) -> str:
    from pillarbox.shape.bodies import body

    return body(copy.shape, copy.values).subject


def _entries(connection: Connection, which: Any) -> list[Entry]:
    flags = func.coalesce(responses.c.flags, 0).label("flags")
    rows = connection.execute(select(*_ENTRY, flags).outerjoin(
        responses, responses.c.message_id == messages.c.id).where(which).order_by(messages.c.id))
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    state = MessageState(row.state)
    say = words.left_out if state is MessageState.WITHDRAWN and row.detail else words.without_addresses
    return Entry(id=row.id, address=row.address, to_name=row.to_name, state=state, outcome=Outcome(row.outcome),
                 tracked=row.tracked, flags=Mark(row.flags & 63), accepted_at=row.accepted_at, detail=say(row.detail),
                 variant=row.variant)


def _events(connection: Connection, message_id: int) -> tuple[Heard, ...]:
    rows = connection.execute(select(
        events.c.at, events.c.kind, events.c.agent, events.c.device, events.c.url, events.c.reason).where(
        events.c.message_id == message_id).order_by(events.c.at, events.c.id).limit(MOST_EVENTS)).all()
    return tuple(Heard(
        at=row.at, kind=EventKind(row.kind), what=HEARD[EventKind(row.kind)], by_machine=row.agent == Agent.MACHINE,
        device="" if row.device == "unknown" else row.device, link=words.link(row.url) if row.url else "",
        reason=words.cause(cause_of(row.reason)) if row.reason and EventKind(row.kind) in _EXPLAINED else "",
        provider_says=words.without_addresses(row.reason)) for row in rows)


def _gifts(connection: Connection, message_id: int) -> tuple[Row[Any], ...]:
    return tuple(connection.execute(select(
        donations.c.received_at, donations.c.amount_minor, donations.c.currency, donations.c.attribution).where(
        donations.c.message_id == message_id).order_by(donations.c.received_at, donations.c.id)))


def _exact(text: str, secret: bytes) -> str:
    """The hash of a whole address; empty when the text is none."""
    try:
        return addresses.keyed_hash(addresses.normalise(text), secret)
    except ValueError:
        return ""
