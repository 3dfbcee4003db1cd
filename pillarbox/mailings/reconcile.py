"""What is in doubt, settled: by late events by themselves, else by staff's decision, which is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pillarbox.ground.errors import Refused
from pillarbox.mailings import control
from pillarbox.mailings.submit import bury_the_dead
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, mailings, messages
from pillarbox.store.project import Project


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What reconciling found and did."""

    mailing: str
    in_doubt: int
    """Still not known."""
    assumed: Literal["sent", "unsent"] | None
    settled: int
    """Settled by the decision."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {"mailing": self.mailing, "in_doubt": self.in_doubt, "assumed": self.assumed, "settled": self.settled}


def reconcile(project: Project, name: str, *, assume: Literal["sent", "unsent"] | None = None,
              actor: str = "staff") -> Reconciled:
    """Find units of dead senders, and settle what is in doubt when staff say how.

    Raises:
        Refused: there is nothing in doubt to decide about.
    """
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    bury_the_dead(project, mailing, repeatable=mailing.transport == "files")
    with project.store.writing() as connection:
        control.cancel_rest(connection, mailing.id)
        doubtful = messages.states(connection, mailing.id).get(MessageState.IN_DOUBT, 0)
        if assume is None:
            return Reconciled(mailing=mailing.name, in_doubt=doubtful, assumed=None, settled=0)
        if not doubtful:
            raise Refused(f"Nothing of {mailing.name} is in doubt.")
        after = MessageState.ACCEPTED if assume == "sent" else MessageState.PLANNED
        settled = messages.change_state(connection, mailing.id, before=MessageState.IN_DOUBT, after=after,
                                        detail=f"assumed {assume} by {actor}")
        if assume == "unsent":
            control.cancel_rest(connection, mailing.id)
            mailings.move(connection, mailing.id, before=(MailingState.SENT,), after=MailingState.PLANNED,
                          reason="taken up again after doubt", finished_at=None)
        audit.record(connection, actor=actor, action="reconcile", subject=mailing.name,
                     detail={"assume": assume, "messages": settled})
    return Reconciled(mailing=mailing.name, in_doubt=0, assumed=assume, settled=settled)
