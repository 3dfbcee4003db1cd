"""Readable rows for the tests of reports: a mailing, its messages, what happened to them, and what came in.

All people here are made up, at example.org.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from pillarbox.ground.keys import new_key
from pillarbox.model.states import Agent, Attribution, EventKind, MailingState, MessageState, Outcome
from pillarbox.reports.figures import HEARD_MARK
from pillarbox.store import events as table
from pillarbox.store import tallies
from pillarbox.store.schema import bundles, donations, editions, events, mailings, marks, messages, shapes, supporters

LAUNCH = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Builder:
    """Puts rows into a database, a sentence each: ``built.message(...)``, ``built.gift(...)``."""

    connection: Connection
    name: str = "uyghur-freedom-20261123"
    practice: bool = False
    excluded: Mapping[str, int] = field(default_factory=dict)
    title: str = "Help us take the next steps on the road to Uyghur freedom"
    mailing_id: int = 0
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._count = 0
        run = self.connection.execute
        edition = run(insert(editions).values(appeal="uyghur-freedom", label=self.name, practice=self.practice)
                      .returning(editions.c.id)).scalar_one()
        bundle = hashlib.sha256(self.name.encode()).hexdigest()
        run(insert(bundles).values(id=bundle, appeal="uyghur-freedom", made_at=LAUNCH, content=b""))
        self.mailing_id = run(insert(mailings).values(
            name=self.name, appeal="uyghur-freedom", kind="appeal", edition_id=edition, practice=self.practice,
            state=MailingState.SENT, transport="sendgrid", bundle_id=bundle, source_code=bundle[:8], title=self.title,
            audience={"lists": ["supporters"]}, excluded=dict(self.excluded), for_date=date(2026, 11, 23),
            created_at=LAUNCH - HOUR, planned_at=LAUNCH - HOUR, started_at=LAUNCH, finished_at=LAUNCH + HOUR / 4,
            approved_by="Dana", approved_at=LAUNCH - HOUR / 2, variants=dict(self.variants),
            ).returning(mailings.c.id)).scalar_one()
        self.edition_id = edition
        self.shape_id = run(insert(shapes).values(
            mailing_id=self.mailing_id, content_hash=bundle[:32], subject="", html="", text="", tokens=[],
            private=False).returning(shapes.c.id)).scalar_one()

    def message(self, *, tracked: bool = True, state: MessageState = MessageState.ACCEPTED,
                outcome: Outcome = Outcome.DELIVERED, detail: str = "", address: str = "", **more: Any) -> int:
        """One message to a supporter of its own."""
        self._count += 1
        address = address or f"{self.name}-{self._count}@example.org"
        hashed = address_hash(address)
        supporter = self.connection.execute(insert(supporters).values(
            address=address, address_hash=hashed, fields={}, created_at=LAUNCH, updated_at=LAUNCH)
            .returning(supporters.c.id)).scalar_one()
        return int(self.connection.execute(insert(messages).values({
            "mailing_id": self.mailing_id, "edition_id": self.edition_id, "supporter_id": supporter,
            "address": address, "address_hash": hashed, "key": new_key(), "shape_id": self.shape_id,
            "tracked": tracked, "state": state, "outcome": outcome, "detail": detail,
            "accepted_at": LAUNCH if state is MessageState.ACCEPTED else None} | more)
            .returning(messages.c.id)).scalar_one())

    def event(self, message_id: int | None, kind: EventKind, *, after: timedelta = HOUR, agent: Agent = Agent.HUMAN,
              **more: Any) -> None:
        """One event about a message, some time after the launch."""
        key = new_key()
        self.connection.execute(insert(events).values({
            "message_id": message_id, "mailing_id": self.mailing_id, "kind": kind, "at": LAUNCH + after,
            "received_at": LAUNCH + after, "provider": "sendgrid", "provider_key": key, "fingerprint": key,
            "agent": agent} | more))
        table.mark(self.connection, HEARD_MARK.format(provider="sendgrid"), LAUNCH + after)
        tallies.remake(self.connection, self.mailing_id)

    def opened(self, message_id: int, **more: Any) -> None:
        """An open."""
        self.event(message_id, EventKind.OPENED, **more)

    def clicked(self, message_id: int, url: str = "https://donate.example.org/give", **more: Any) -> None:
        """A click."""
        self.event(message_id, EventKind.CLICKED, url=url, **more)

    def gift(self, pence: int, *, after: timedelta = 2 * HOUR, currency: str = "GBP", gift_aid: bool = False,
             regular: bool = False, attribution: Attribution = Attribution.LINK_CODE, **more: Any) -> None:
        """A donation tied to the mailing."""
        self.connection.execute(insert(donations).values({
            "amount_minor": pence, "currency": currency, "received_at": LAUNCH + after, "source": "csv",
            "external_id": new_key(), "gift_aid": gift_aid, "regular": regular, "mailing_id": self.mailing_id,
            "attribution": attribution, "created_at": LAUNCH + after} | more))

    def mark(self, name: str, at: datetime) -> None:
        """A mark, such as until when events have been heard."""
        self.connection.execute(insert(marks).values(name=name, at=at))


def address_hash(address: str) -> str:
    """Stands in for the keyed hash."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]
