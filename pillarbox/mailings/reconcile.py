"""What nobody is sure went: settled by events, then by the provider's record, then by staff, who are written down.

What is not found proves nothing: it stays in doubt until somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from pillarbox.deliver import choose
from pillarbox.deliver.search import MessageSearch, NoSearchError
from pillarbox.events import apply as events
from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, TransportError
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import audit, doubts, mailings, messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

Assumption = Literal["sent", "unsent"]

MAYBE_TWICE = ("If one of these letters did go after all, its supporter gets it twice: nobody can see that beforehand. "
               "An event that comes before it is sent again still keeps it back.")
_FOUND = "found in SendGrid's message search"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """What reconciling found and did."""

    mailing: str
    ways: Mapping[str, int]
    """How many were settled by ``events``, ``search`` and ``staff``."""
    in_doubt: int
    """Still not known."""
    assumed: Assumption | None
    by: str
    """Who decided; empty when nobody had to."""
    search_said: str
    """Why the provider's record could not be searched; empty when it was, or there was no need."""
    planned_again: int = 0
    """Left by a dead sender, and harmless to repeat."""

    @property
    def settled(self) -> int:
        """By all ways together."""
        return sum(self.ways.values())

    @property
    def warning(self) -> str:
        """What staff must know of their decision."""
        return MAYBE_TWICE if self.assumed == "unsent" and self.ways["staff"] else ""

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``reconcile --json``."""
        return {"mailing": self.mailing, "in_doubt": self.in_doubt, "settled": self.settled, "ways": dict(self.ways),
                "assumed": self.assumed, "by": self.by, "search": self.search_said, "warning": self.warning}


def reconcile(project: Project, name: str, *, assume: Assumption | None = None, actor: str = "staff") -> Reconciled:
    """Find units of dead senders, and settle what is in doubt.

    Args:
        project: the project.
        name: the mailing's, or its appeal's.
        assume: staff's decision for what neither events nor the provider's record tell.
        actor: who decides.

    Raises:
        Refused: nothing is in doubt, or nobody's name stands for the decision; nothing was changed.
    """
    if assume and not actor.strip():
        raise Refused("A decision needs a name.", todo="Say who decides with --by NAME.")
    with project.store.reading() as connection:
        mailing = mailings.find(connection, name)
    buried = bury_the_dead(project, mailing, repeatable=mailing.transport == "files")
    doubtful = _in_doubt(project, mailing)
    if not doubtful and not buried:
        raise Refused(f"Nothing of {mailing.name} is in doubt: of every message it is known whether it went.")
    ways = {"events": events.heal(project.store, mailing.id), "search": 0, "staff": 0}
    said = ""
    if _in_doubt(project, mailing):
        ways["search"], said = _search(project, mailing)
    if assume is not None:
        ways["staff"] = _decide(project, mailing, assume, actor.strip())
    return Reconciled(mailing=mailing.name, ways=ways, in_doubt=_in_doubt(project, mailing), assumed=assume,
                      by=actor.strip() if ways["staff"] else "", search_said=said,
                      planned_again=0 if doubtful else buried)


def _in_doubt(project: Project, mailing: Mailing) -> int:
    with project.store.reading() as connection:
        return messages.states(connection, mailing.id).get(MessageState.IN_DOUBT, 0)


def _search(project: Project, mailing: Mailing) -> tuple[int, str]:
    """Ask the provider about every attempt in doubt; how many it has, and why it could not be asked further."""
    if mailing.transport != project.settings.project.transport:
        return 0, ""
    try:
        search = choose.search(project.settings)
    except TransportError as fault:
        return 0, fault.sentence()
    if search is None:
        return 0, ""
    with closing(search):
        return _ask(project, mailing, search)


def _ask(project: Project, mailing: Mailing, search: MessageSearch) -> tuple[int, str]:
    with project.store.reading() as connection:
        doubtful = doubts.in_doubt(connection, mailing.id)
    settled, said = 0, ""
    for attempt_id, sought in doubtful.items():
        try:
            there = search.find(project=project.id, attempt_id=attempt_id, sought=sought)
        except NoSearchError as fault:
            said = fault.sentence()
            break
        with project.store.writing() as connection:
            new = doubts.found_sent(connection, attempt_id, {one.message_id: one.provider_id for one in there},
                                      detail=_FOUND)
            if new:
                audit.record(connection, actor="message search", action="reconcile", subject=mailing.name,
                             detail={"attempt": attempt_id, "messages": new})
        settled += new
    if settled:
        events.tie_late(project.store)
    return settled, said


def _decide(project: Project, mailing: Mailing, assume: Assumption, actor: str) -> int:
    with project.store.writing() as connection:
        # Held: whoever is about to close it shall see what becomes of its doubt.
        mailing = mailings.hold(connection, mailing.id, alone=True)
        after = (MessageState.ACCEPTED if assume == "sent" else
                 MessageState.CANCELLED if mailing.state is MailingState.CANCELLED else MessageState.PLANNED)
        settled = doubts.decide(connection, mailing.id, after=after,
                                  detail=f"taken as {assume} by {actor}, {clock.now():%d %B %Y %H:%M} UTC")
        if not settled:
            return 0
        if after is MessageState.PLANNED:
            _take_up_again(connection, mailing)
        audit.record(connection, actor=actor, action="reconcile", subject=mailing.name,
                     detail={"assume": assume, "messages": settled})
    return settled


def _take_up_again(connection: Connection, mailing: Mailing) -> None:
    """A mailing that was closed has something to send again.

    One that lies at SendGrid goes on being handed over, to be kept until the same time. One that was sent waits for
    staff to send it, also if it left by itself the first time.
    """
    if mailing.state is MailingState.HELD:
        mailings.move(connection, mailing.id, before=(MailingState.HELD,), after=MailingState.SENDING)
        return
    time: dict[str, Any] = {} if mailing.provider_batch else {"send_at": None, "send_by": ""}
    mailings.move(connection, mailing.id, before=(MailingState.SENT,), after=MailingState.PLANNED,
                  reason="taken up again after doubt", finished_at=None, **time)
