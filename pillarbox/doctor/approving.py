"""Approval: live mailings for which too few people stand, and rules by which nobody could."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from pillarbox.doctor.finding import Finding, look
from pillarbox.mailings import approval
from pillarbox.model.config import Settings
from pillarbox.model.states import MailingState
from pillarbox.store import mailings, numbers

_MAY_GO = (MailingState.PLANNED, MailingState.PAUSED)


def examine(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """What keeps a live mailing from being sent because too few people stand for it. Says nothing when nothing does."""
    rules = settings.approval
    if rules.other_than_planner and not rules.who:
        yield look("approval-anybody", "Two pairs of eyes are asked for, and whoever types two names has them.",
                   "Name in [approval] who may approve.")
    for row in numbers.open_mailings(connection):
        if row.practice or MailingState(row.state) not in _MAY_GO:
            continue
        mailing = mailings.by_id(connection, row.id)
        found = approval.standing(connection, settings, mailing)
        if approval.is_asked(mailing) and not found.complete:
            yield look("not-approved", f"{row.name} cannot be sent: {found.why_not}.", found.whose_turn(row.name))
