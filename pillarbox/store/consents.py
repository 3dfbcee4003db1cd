"""Consents: the basis for each supporter and channel, and how it came to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from pillarbox.model.states import Basis, Channel
from pillarbox.store.schema import consent_changes, consents
from pillarbox.store.supporters import among


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A basis for one supporter and channel, to be recorded."""

    supporter_id: int
    channel: Channel
    before: Basis | None
    """None when nothing was recorded yet."""
    after: Basis
    source: str
    """In staff's words: "stall at the fair"."""
    obtained_on: date | None = None
    wording: str = ""
    """What was agreed to, word for word; empty: what is kept of it stays."""


def of(connection: Connection, supporter_ids: Sequence[int]) -> dict[tuple[int, Channel], Basis]:
    """What is recorded for these supporters."""
    found = connection.execute(select(consents.c.supporter_id, consents.c.channel, consents.c.basis)
                               .where(among(connection, consents.c.supporter_id, supporter_ids)))
    return {(row.supporter_id, Channel(row.channel)): Basis(row.basis) for row in found}


def withdrawn(connection: Connection, supporter_ids: Sequence[int]) -> set[tuple[int, Channel]]:
    """Supporters and channels for which a basis was once taken back: no import gives it again."""
    found = connection.execute(select(consent_changes.c.supporter_id, consent_changes.c.channel).where(
        among(connection, consent_changes.c.supporter_id, supporter_ids), consent_changes.c.after == Basis.NONE,
        consent_changes.c.before != Basis.NONE))
    return {(row.supporter_id, Channel(row.channel)) for row in found}


def apply(connection: Connection, changes: Sequence[Change], at: datetime, import_id: int | None = None) -> None:
    """Record the changes, with a line of history for each. The caller decides what may replace what."""
    new = [change for change in changes if change.before is None]
    known = [change for change in changes if change.before is not None]
    if new:
        connection.execute(insert(consents), [
            {"supporter_id": change.supporter_id, "channel": change.channel, "basis": change.after,
             "source": change.source, "obtained_on": change.obtained_on, "recorded_at": at, "import_id": import_id,
             "wording": change.wording}
            for change in new])
    if known:
        connection.execute(
            update(consents).where(consents.c.supporter_id == bindparam("of"), consents.c.channel == bindparam("on"))
            .values(basis=bindparam("new_basis"), source=bindparam("new_source"), recorded_at=at, import_id=import_id,
                    obtained_on=bindparam("new_obtained_on")),
            [{"of": change.supporter_id, "on": change.channel, "new_basis": change.after, "new_source": change.source,
              "new_obtained_on": change.obtained_on} for change in known])
    if worded := [change for change in known if change.wording]:
        connection.execute(
            update(consents).where(consents.c.supporter_id == bindparam("of"), consents.c.channel == bindparam("on"))
            .values(wording=bindparam("new_wording")),
            [{"of": change.supporter_id, "on": change.channel, "new_wording": change.wording} for change in worded])
    # A first "none" is a record, but no change of anything.
    if history := [
        {"supporter_id": change.supporter_id, "channel": change.channel, "before": change.before or Basis.NONE,
         "after": change.after, "source": change.source, "at": at}
        for change in changes if change.after is not (change.before or Basis.NONE)
    ]:
        connection.execute(insert(consent_changes), history)


def withdraw(connection: Connection, supporter_id: int, source: str, at: datetime,
             channels: Sequence[Channel] = tuple(Channel)) -> None:
    """The supporter said no: every basis for these channels ends, with a line of history."""
    known = of(connection, [supporter_id])
    apply(connection, [Change(supporter_id=supporter_id, channel=channel, before=known[supporter_id, channel],
                              after=Basis.NONE, source=source)
                       for channel in channels if known.get((supporter_id, channel), Basis.NONE) is not Basis.NONE], at)
