"""A proof from end to end: planned, handed over by the mailing's own road, settled."""

from __future__ import annotations

from dataclasses import dataclass

from pillarbox.deliver.choose import transport as choose_transport
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import proof
from pillarbox.mailings import status as standing
from pillarbox.mailings.dispatch import Dispatch
from pillarbox.mailings.proof import Planned, Wish
from pillarbox.mailings.status import Status
from pillarbox.runner.local import Run
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Proofed:
    """What became of a proof."""

    planned: Planned
    status: Status

    @property
    def alone(self) -> bool:
        """Whether SendGrid filled in one copy only: it fills in two as it does a thousand, so two show more."""
        return self.status.mailing.planned == 1 and self.status.mailing.transport == "sendgrid"

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``proof --json``."""
        found = self.status
        return {"mailing": found.mailing.name, "appeal": found.mailing.appeal, "practice": found.mailing.practice,
                "subject": self.planned.subject, "proofs": found.mailing.planned, "accepted": found.accepted,
                "failed": found.failed, "in_doubt": found.in_doubt, "cancelled": found.cancelled,
                "shapes": found.mailing.shapes, "findings": self.planned.levels()}


def prove(project: Project, wish: Wish) -> Proofed:
    """Send proofs to the addresses named, and nobody else.

    Raises:
        LetterError: faults in the letter.
        Refused: no fit address, or live settings with which nothing must go.
        PillarboxError: not one of them left, or none surely did; says why.
    """
    transport = choose_transport(project.settings)
    try:
        transport.check()
        planned = proof.plan(project, wish)
        mailing = proof.begin(project, planned.mailing)
        run = Run(dispatch=Dispatch.of(project, mailing, transport))
        try:
            run.to_the_end(1)
        finally:
            proof.end(project, mailing)
    finally:
        transport.close()
    found = standing.status(project, mailing.name)
    if not found.accepted and found.in_doubt:
        raise PillarboxError(f"Nobody knows whether the proof went: {next(iter(found.details), '').rstrip('.')}.",
                             todo="See whether it came; it is not sent again by itself.")
    if not found.accepted:
        why = run.stopped_because or next(iter(found.details), "") or "nobody took it"
        raise PillarboxError(f"The proof did not leave: {why.rstrip('.')}.", retry=run.unreachable,
                             todo="Nothing of it is sent later: when that is mended, send a new one.")
    return Proofed(planned=planned, status=found)
