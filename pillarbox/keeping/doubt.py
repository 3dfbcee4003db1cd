"""What a database that has gone back in time must not do by itself: send what may have left since.

It was restored, adopted as a copy, or is an older file that was put back by hand. What is unfinished is paused, and
what is left of it is in doubt until staff have settled it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.keeping import journal
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, mailings, notices, service
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import audit as audit_table
from pillarbox.store.schema import messages

_HELD_DETAIL = "the database was restored: nobody knows whether this went since"
_OLDER_DETAIL = "an older database was put in place: nobody knows whether this went since"
_GONE_BACK = "gone back"
_ADOPTED_DETAIL = "the database was adopted: nobody knows whether its other copy sent this"


@dataclass(frozen=True, kw_only=True, slots=True)
class Paused:
    """A mailing that was unfinished at the time of the backup."""

    mailing: str
    practice: bool
    state: str
    """As it now is: paused, or held where the provider already keeps it."""
    in_doubt: int
    """Messages of which nobody knows whether they went since."""
    remaining: int
    """Messages that surely did not, and are still planned."""


def settle_adopted(connection: Connection) -> tuple[Paused, ...]:
    """Make a database that is adopted safe, in the transaction that adopts it: its other copy may have gone on sending.

    Practice mailings reach nobody, and stay as they are.
    """
    why = f"this database was adopted on {clock.now():%d %B %Y, %H:%M} UTC"
    paused = tuple(hold_back(connection, mailing, why, surely_here=False, detail=_ADOPTED_DETAIL)
                   for mailing in unfinished(connection) if not mailing.practice)
    mark_service(connection, _ADOPTED_DETAIL)
    tell_each(connection, paused)
    return paused


def refuse_gone_back(project: Project, mailing: Mailing) -> None:
    """See that a mailing which is about to begin has not begun already, in a newer database than this one.

    An older file that was put back by hand looks like its own past. Where the journal knows better, the mailing is
    paused and what is left of it goes in doubt, as after a restore.

    Raises:
        Refused: it has.
    """
    begun = journal.begun(project, mailing)
    if mailing.started_at is not None or begun is None:
        return
    with project.store.writing() as connection:
        found = mailings.by_id(connection, mailing.id)
        if found.started_at is not None or found.state not in (MailingState.PLANNED, MailingState.PAUSED):
            return  # another process has just begun it, or it cannot begin at all
        if _decided(connection, mailing, begun):
            return
        held = hold_back(connection, mailing, "this database is older than the journal beside it, which says that the "
                          f"mailing left on {begun:%d %B %Y, %H:%M} UTC", surely_here=False, detail=_OLDER_DETAIL)
        audit.record(connection, actor="pillarbox", action=_GONE_BACK, subject=mailing.name,
                     detail={"begun": begun.isoformat()})
        tell_each(connection, (held,))
    raise Refused(f"{mailing.name} left on {begun:%d %B %Y, %H:%M} UTC, as the journal says, and this database does "
                  "not know of it: an older one was put in its place. The mailing is paused, and nothing was sent.",
                  where=str(journal.place(project.settings)),
                  todo="Put the newest backup back with `pillarbox store restore`; or, if there is none, settle it "
                       f"with `pillarbox reconcile {mailing.name}`.")


def _decided(connection: Connection, mailing: Mailing, begun: datetime) -> bool:
    """Whether the mailing was held back for it since: staff have been told, and have decided."""
    last = audit.newest(connection, action=_GONE_BACK, subject=mailing.name)
    if last is not None and last.detail.get("begun") == begun.isoformat():  # whatever the clock said
        return True
    return connection.execute(select(audit_table.c.id).where(
        audit_table.c.at >= begun, audit_table.c.action.in_(("restore", "adopt"))).limit(1)).first() is not None


def unfinished(connection: Connection) -> list[Mailing]:
    """Mailings of which something may still leave."""
    return [mailing for mailing in mailings.all_of(connection)
            if mailing.state.is_open or mailing.state is MailingState.HELD]


def hold_back(connection: Connection, mailing: Mailing, why: str, *, surely_here: bool,
              detail: str = _HELD_DETAIL) -> Paused:
    """Pause one mailing; unless all of it is surely still here, what is not settled goes in doubt."""
    if not surely_here:
        mark(connection, (messages.c.mailing_id == mailing.id) & (messages.c.state == MessageState.PLANNED), detail)
    reason = f"{why}; " + ("nothing of it had left" if surely_here else "nobody knows what of it left since")
    if mailing.state is MailingState.PAUSED and mailing.state_reason:
        reason += f"; before that it was paused: {mailing.state_reason}"
    state = MailingState.HELD if mailing.state is MailingState.HELD else MailingState.PAUSED
    # Its hour is taken away: a mailing that staff resume must not start before they say so.
    mailings.change(connection, mailing.id, state=state, state_reason=reason, send_at=None, send_by="",
                    watch_until=None)
    standing = {MessageState(name): count for name, count in connection.execute(
        select(messages.c.state, func.count()).where(messages.c.mailing_id == mailing.id).group_by(messages.c.state))}
    return Paused(mailing=mailing.name, practice=mailing.practice, state=state.value,
                  in_doubt=standing.get(MessageState.IN_DOUBT, 0), remaining=standing.get(MessageState.PLANNED, 0))


def mark(connection: Connection, which: Any, detail: str = _HELD_DETAIL) -> None:
    """Put messages in doubt."""
    connection.execute(update(messages).where(which).values(state=MessageState.IN_DOUBT, detail=detail))


def mark_service(connection: Connection, detail: str = _HELD_DETAIL) -> None:
    """Put service letters in doubt that had not been settled: whoever asked for one can ask again."""
    service.doubt_all(connection, detail)


def tell_each(connection: Connection, paused: Sequence[Paused]) -> None:
    """Write a notice of each that was held back."""
    for one in paused:
        mailing = mailings.find(connection, one.mailing)
        notices.add(connection, kind="paused", mailing_id=mailing.id, words=f"{one.mailing} is {one.state}: "
                    f"{mailing.state_reason}. {one.in_doubt:,} messages are not sure to have gone.")
