"""Everything that a report of one mailing tells, gathered once for the page, the terminal and the workbook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from pillarbox.ground import clock
from pillarbox.model.states import MailingState, Outcome
from pillarbox.reports.details import Link, Returned, Standing, left_out_at_planning, links, returned, standing
from pillarbox.reports.figures import Figures, Keep, ask, figures
from pillarbox.reports.pledged import Pledged, pledged
from pillarbox.reports.timeline import Timeline, timeline
from pillarbox.reports.variants import Variants, variants
from pillarbox.store.schema import mailings

_VERY_MANY = 20_000
"""Of so many messages the reasons are counted within 20 ms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """What the ledger says of the mailing itself."""

    name: str
    title: str
    kind: str
    state: MailingState
    state_reason: str
    transport: str
    for_date: date
    started_at: datetime | None
    finished_at: datetime | None
    approved_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One mailing, told whole."""

    mailing: Mailing
    figures: Figures
    timeline: Timeline
    returned: Returned
    links: tuple[Link, ...]
    standing: tuple[Standing, ...]
    left_out: tuple[tuple[str, int], ...]
    """Supporters left out by the plan: why, how many."""
    zone: str
    """IANA zone of every time shown."""
    made_at: datetime
    pledged: Pledged
    """What was promised, and what went back."""
    variants: Variants | None = None
    """What each variant of the letter did; None where everybody got the same."""

    def to_json(self) -> dict[str, Any]:
        """The command line's contract for ``report --json``; three keys more where the letter has variants."""
        return {**self.figures.to_json(), **(self.variants.to_json() if self.variants else {})}


def gather(connection: Connection, mailing_id: int, zone: str = "Europe/London", *,
           keep: Keep = ask) -> Report:
    """Ask every question about one mailing, in one view of the database.

    Args:
        keep: given what an answer hangs on and the question, answers it, perhaps from memory: why very many letters did
            not go is counted anew only when more did not. (Who is forgotten takes their reason along.)

    Raises:
        Refused: when there is no such mailing.
    """
    found = figures(connection, mailing_id, keep=keep)
    row = connection.execute(select(mailings).where(mailings.c.id == mailing_id)).one()
    perhaps = keep if found.failed + found.withdrawn > _VERY_MANY else ask
    return Report(
        mailing=Mailing(
            name=row.name, title=row.title, kind=row.kind, state=MailingState(row.state),
            state_reason=row.state_reason, transport=row.transport, for_date=row.for_date,
            started_at=row.started_at, finished_at=row.finished_at, approved_by=row.approved_by or ""),
        figures=found,
        timeline=timeline(connection, mailing_id, zone),
        returned=returned(connection, mailing_id, {
            Outcome.BOUNCED: found.bounced, Outcome.BLOCKED: found.blocked, Outcome.DROPPED: found.dropped}),
        links=links(connection, mailing_id),
        standing=perhaps(("standing", mailing_id, row.name, found.accepted, found.failed, found.withdrawn),
                         lambda: standing(connection, mailing_id)),
        left_out=left_out_at_planning(row.excluded),
        zone=zone,
        made_at=clock.now(),
        pledged=pledged(connection, mailing_id),
        variants=variants(connection, mailing_id),
    )
