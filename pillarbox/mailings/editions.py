"""Which edition of an appeal a plan makes, and whether it may: an edition reaches each supporter once."""

from __future__ import annotations

from sqlalchemy import Connection

from pillarbox.ground.errors import Refused
from pillarbox.mailings import approval, control
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, mailings, messages
from pillarbox.store.mailings import Mailing

FIRST = "first"


def choose(connection: Connection, *, appeal: str, again: str | None, practice: bool, actor: str,
           keep_approved: bool = False) -> tuple[int, str]:
    """The edition to plan, in the transaction that makes its mailing.

    A practice plan without a label is an edition of its own. A live plan that was never sent is replaced.

    Returns:
        the edition's id and label.

    Raises:
        Refused: the edition was sent or is being sent, or its label is blank; or an approved plan of it stands and is
            to be kept.
    """
    if again is not None and not again.strip():
        raise Refused("Another edition needs a label.", todo="Say which with --again LABEL, such as --again spring.")
    if practice and again is None:
        taken = set(mailings.labels(connection, appeal=appeal, practice=True))
        label = next(name for number in range(1, len(taken) + 2) if (name := f"practice-{number}") not in taken)
    else:
        label = (again or FIRST).strip()
    for mailing in mailings.all_of(connection, appeal=appeal, practice=practice):
        if mailing.edition == label:
            if keep_approved and mailing.approved_by and mailing.state is MailingState.PLANNED:
                raise Refused(f"{mailing.name} is approved, and is not planned again.")
            _make_way(connection, mailing, actor=actor, waiting=keep_approved)
    return mailings.edition(connection, appeal=appeal, label=label, practice=practice), label


def _make_way(connection: Connection, earlier: Mailing, *, actor: str, waiting: bool) -> None:
    """Replace an earlier mailing of the edition when nothing of it ever left; refuse when something did.

    One that waits for its time is replaced only by whoever may do that (``waiting``): the schedule that planned it.
    """
    if earlier.state is MailingState.CANCELLED:
        control.cancel_rest(connection, earlier.id)
        return
    standing = messages.states(connection, earlier.id)
    untouched = set(standing) <= {MessageState.PLANNED, MessageState.WITHDRAWN}
    if earlier.state is MailingState.PLANNED and untouched and earlier.send_at and not waiting:
        raise Refused(f"{earlier.name} waits for its time, and a new plan would take its place.",
                      todo=f"If it shall not go: `pillarbox cancel {earlier.name}`, then plan.")
    if earlier.state is MailingState.PLANNED and untouched:
        control.cancel_within(connection, earlier, reason=approval.REPLACED, actor=actor)
    elif earlier.state is MailingState.SENT:
        raise Refused(f"{earlier.appeal} ({earlier.edition}) has been sent already, as {earlier.name}.",
                      todo="To write to people again, name a new edition with --again LABEL.")
    else:
        raise Refused(f"{earlier.name} is {earlier.state}" + ("." if untouched else ": part of it has left."),
                      todo=f"`pillarbox send {earlier.name}` continues it; `cancel` ends it.")


def give_back(connection: Connection, *, edition_id: int, before: int) -> Mailing | None:
    """Let the plan stand again that made way for one which came to nothing, in the transaction that deletes that one.

    Args:
        connection: to write with; the messages of the plan that failed are deleted already.
        edition_id: of both.
        before: id of the plan that failed.

    Returns:
        the plan that stands again, as it was; None: there was none.
    """
    earlier = mailings.latest_of_edition(connection, edition_id, before=before)
    if (earlier is None or earlier.started_at or earlier.state is not MailingState.CANCELLED
            or earlier.state_reason != approval.REPLACED):
        return None
    mailings.move(connection, earlier.id, before=(MailingState.CANCELLED,), after=MailingState.PLANNED,
                  finished_at=None)
    # By why they were cancelled: whoever was forgotten meanwhile has no such words, and stays out.
    messages.change_state(connection, earlier.id, before=MessageState.CANCELLED, after=MessageState.PLANNED,
                          detail="", of_detail=approval.REPLACED)
    audit.record(connection, actor="pillarbox", action="plan-stands", subject=earlier.name)
    return mailings.by_id(connection, earlier.id)
