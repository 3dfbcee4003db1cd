"""Where a mailing stands. The states add up, each time it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from pillarbox.ground.errors import StoreError
from pillarbox.mailings import approval
from pillarbox.model.states import MailingState, MessageState, Outcome
from pillarbox.store import mailings, messages, notices, waves
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

_NOTICES = 3
_SETTLED = (MessageState.ACCEPTED, MessageState.FAILED, MessageState.IN_DOUBT, MessageState.CANCELLED,
            MessageState.WITHDRAWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """Counts of messages: planned = accepted + failed + in_doubt + cancelled + withdrawn + remaining."""

    mailing: Mailing
    accepted: int
    failed: int
    in_doubt: int
    cancelled: int
    withdrawn: int
    remaining: int
    outcomes: Mapping[str, int]
    details: Mapping[str, int]
    """The words of what failed or is in doubt, and how often."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason → how many were left out since planning; together they are ``withdrawn``."""
    next_due: datetime | None = None
    """When the next message comes that waits for a time of its own."""
    notices: tuple[tuple[datetime, str], ...] = ()
    """What happened to it by itself, newest first: when, and the words."""
    unapproved: str = ""
    """Why it may not go for want of somebody who stands for it, and what to do; empty: it may, or is practice."""
    variants: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Label → state → how many, with ``planned`` and ``remaining`` as above; empty where all get the same letter."""

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``status --json``; ``variants`` where the letter has any."""
        return {"mailing": self.mailing.name, "practice": self.mailing.practice, "state": self.mailing.state.value,
                "planned": self.mailing.planned, "accepted": self.accepted, "failed": self.failed,
                "in_doubt": self.in_doubt, "cancelled": self.cancelled, "withdrawn": self.withdrawn,
                "remaining": self.remaining, "outcomes": dict(self.outcomes), "left_out": dict(self.left_out),
                **({"variants": {label: dict(counts) for label, counts in self.variants.items()}}
                   if self.variants else {}),
                **({"unapproved": self.unapproved} if self.unapproved else {})}


def status(project: Project, name: str | None = None) -> Status:
    """Where the mailing stands; the newest when none is named.

    Raises:
        Refused: no such mailing, or none at all.
        StoreError: the ledger does not add up.
    """
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name) if name else mailings.newest(connection)
        count = messages.states(connection, mailing.id)
        found = messages.outcomes(connection, mailing.id)
        details = messages.failures(connection, mailing.id)
        left_out = messages.withdrawals(connection, mailing.id)
        next_due = waves.next_due(connection, mailing.id)
        told = notices.newest(connection, _NOTICES, mailing_id=mailing.id)
        of_variants = messages.variant_states(connection, mailing.id) if mailing.variants else {}
        unapproved = _unapproved(connection, project, mailing)
    if sum(count.values()) != mailing.planned:
        raise StoreError(
            f"The ledger of {mailing.name} does not add up: {mailing.planned} planned, {sum(count.values())} found.",
            todo=f"Run `pillarbox pause {mailing.name}`, and compare it with your newest copy of the database.")
    return Status(
        mailing=mailing, **_counts(count),
        outcomes={outcome.value: found.get(outcome.value, 0) for outcome in Outcome}, details=details,
        left_out=left_out, next_due=next_due, notices=tuple((row.at, row.words) for row in told),
        variants={label: {"planned": said["planned"], **_counts(of_variants.get(label, {}))}
                  for label, said in mailing.variants.items()},
        unapproved=unapproved)


def _counts(count: Mapping[MessageState, int]) -> dict[str, int]:
    return {**{state.value: count.get(state, 0) for state in _SETTLED},
            "remaining": count.get(MessageState.PLANNED, 0) + count.get(MessageState.SUBMITTING, 0)}


def _unapproved(connection: Connection, project: Project, mailing: Mailing) -> str:
    if mailing.state not in (MailingState.PLANNED, MailingState.PAUSED) or not approval.is_asked(mailing):
        return ""
    found = approval.standing(connection, project.settings, mailing)
    if found.complete:
        return ""
    why = found.why_not
    return f"{why[:1].upper()}{why[1:]}. {found.whose_turn(mailing.name)}"
