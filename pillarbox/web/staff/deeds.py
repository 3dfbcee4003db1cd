"""What staff can do to a mailing: each deed done by the function that the command line calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.mailings import approval, approving, control, departure, drift, holding, moments, refusals
from pillarbox.model.states import MailingState, Role
from pillarbox.store import messages
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.web.staff.wish import Wish

_HOW = "or tick the box below, and it leaves as it was planned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that can be done to a mailing."""

    name: str
    """In the path."""
    label: str
    """On the button that asks for it."""
    question: str
    """The title of the page that asks again."""
    sure: str
    """On the button that does it."""
    does: Callable[[Project, Mailing, Wish], str]
    """Does it; returns what the next page says."""
    again: Callable[[Project, Mailing, Wish], str] | None = None
    """What the next page says when this page's button was pressed a moment ago already; empty: it was not."""
    role: Role = Role.SEND
    asks_anew: bool = True
    """Whether it is asked once more when the mailing stands otherwise by now than the page said."""
    counts: str = ""
    """Which number is typed for a live mailing: ``remaining``, ``planned``, or none."""
    stops: bool = False
    needs_worker: bool = False


def _approve(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.approve(project, mailing.name, by=wish.actor, via="dashboard")
    found = approved_by(project, mailing)
    if not found.complete:
        return f"You approved {mailing.name}. One more person must, before it may go."
    return f"You approved {mailing.name}. It is not sent by that."


def _approved_already(project: Project, mailing: Mailing, wish: Wish) -> str:
    return f"You approved {mailing.name} already. Nothing more was done." if _stands_for(project, mailing, wish) else ""


def _stands_for(project: Project, mailing: Mailing, wish: Wish) -> bool:
    with project.store.reading() as connection:
        return approving.given_by(connection, project.settings, mailing, wish.actor) is not None


def _take_back(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.withdraw(project, mailing.name, by=wish.actor, reason=wish.reason, via="dashboard")
    found = approved_by(project, mailing)
    stands = f" It still has enough approvals, by {found.by}, and may go." if found.complete else ""
    return f"You no longer stand for {mailing.name}.{stands}"


def _taken_back_already(project: Project, mailing: Mailing, wish: Wish) -> str:
    return "" if _stands_for(project, mailing, wish) else f"You no longer stand for {mailing.name}."


def _send(project: Project, mailing: Mailing, wish: Wish) -> str:
    drift.refuse(project, mailing, as_planned=wish.as_planned, how=_HOW)
    moved = departure.at_once(project, mailing.name, count=wish.count or 0, actor=wish.actor, page=wish.seen)
    if moved.send_at and moved.send_at > clock.now():
        seconds = round((moved.send_at - clock.now()).total_seconds())
        return f"{mailing.name} leaves in {seconds} seconds. Until then you can hold it back, and nothing is sent."
    return f"{mailing.name} is on its way: a worker takes it up within seconds."


def _sent_already(project: Project, mailing: Mailing, wish: Wish) -> str:
    with project.store.reading() as connection:
        if not departure.gone_from(connection, mailing, actor=wish.actor, page=wish.seen):
            return ""
    if mailing.started_at is None and mailing.send_at and mailing.send_at > clock.now():
        seconds = round((mailing.send_at - clock.now()).total_seconds())
        return (f"{mailing.name} is on its way already: you pressed twice, and it goes once. It leaves in {seconds} "
                "seconds; until then you can hold it back, and nothing is sent.")
    return f"{mailing.name} is being sent already: you pressed twice, and it goes once."


def _send_at(project: Project, mailing: Mailing, wish: Wish) -> str:
    if wish.at is None:
        raise Refused("No time was named.", todo=f"Write it like {moments.EXAMPLE!r}.")
    refusals.refuse_other_road(project, mailing)
    drift.refuse(project, mailing, as_planned=wish.as_planned, how=_HOW)
    departure.wait(project, mailing.name, at=wish.at, count=wish.count or 0, actor=wish.actor)
    return f"{mailing.name} leaves on {moments.in_words(wish.at, project.settings.project.zone)}."


def _at_that_time_already(project: Project, mailing: Mailing, wish: Wish) -> str:
    if mailing.state is not MailingState.PLANNED or wish.at is None or mailing.send_at != wish.at:
        return ""
    when = moments.in_words(wish.at, project.settings.project.zone)
    return f"{mailing.name} leaves on {when}: that was said already."


def _pause(project: Project, mailing: Mailing, wish: Wish) -> str:
    control.pause(project, mailing.name, reason=wish.reason or f"by {wish.actor}", actor=wish.actor)
    return f"{mailing.name} is held back. What was in flight finishes; nothing more leaves."


def _resume(project: Project, mailing: Mailing, wish: Wish) -> str:
    if mailing.started_at or mailing.send_at:
        departure.refuse_alone(project)
    moved = control.resume(project, mailing.name, actor=wish.actor)
    if moved.send_at and moved.send_at > clock.now():
        return (f"{mailing.name} is no longer held back. It leaves on "
                f"{moments.in_words(moved.send_at, project.settings.project.zone)}.")
    if moved.send_at:
        return f"{mailing.name} goes on: a worker takes it up within seconds."
    return f"{mailing.name} is no longer held back. Send it when you like."


def _goes_on_already(project: Project, mailing: Mailing, wish: Wish) -> str:  # noqa: ARG001 - as every deed
    goes_on = mailing.state in (MailingState.PLANNED, MailingState.SENDING)
    return f"{mailing.name} is no longer held back: that was said already." if goes_on else ""


def _cancel(project: Project, mailing: Mailing, wish: Wish) -> str:
    holding.cancel(project, mailing.name, reason=wish.reason or f"by {wish.actor}", actor=wish.actor)
    return f"{mailing.name} is cancelled. What has left has left; nothing more leaves."


DEEDS = {deed.name: deed for deed in (
    Deed(name="approve", label="Approve", question="Approve this mailing?", sure="I have read it and approve it",
         does=_approve, again=_approved_already, counts="planned"),
    Deed(name="send", label="Send now", question="Send this mailing now?", sure="Send it now", does=_send,
         again=_sent_already, counts="remaining", needs_worker=True),
    Deed(name="send-at", label="Send at a time", question="Send this mailing at a time?", sure="Send it then",
         does=_send_at, again=_at_that_time_already, counts="remaining", needs_worker=True),
    Deed(name="resume", label="Let it go on", question="Let this mailing go on?", sure="Let it go on", does=_resume,
         again=_goes_on_already, counts="remaining"),
    Deed(name="pause", label="Hold it back", question="Hold this mailing back?", sure="Hold it back", does=_pause,
         role=Role.PREPARE, stops=True, asks_anew=False),
    Deed(name="take-back", label="Take your approval back", question="Take your approval back?",
         sure="I no longer stand for it", does=_take_back, again=_taken_back_already, stops=True),
    Deed(name="cancel", label="Cancel it for good", question="Cancel this mailing for good?",
         sure="Cancel it for good", does=_cancel, counts="planned", stops=True, asks_anew=False),
)}


def approved_by(project: Project, mailing: Mailing) -> approval.Standing:
    """Who stands for a mailing as it is."""
    with project.store.reading() as connection:
        return approval.standing(connection, project.settings, mailing)


def possible(project: Project, mailing: Mailing, by: str) -> list[Deed]:
    """What can be done to a mailing as it stands, by somebody; an approval is taken back only by who gave it."""
    names: list[str] = []
    if mailing.state in (MailingState.PLANNED, MailingState.PAUSED):
        with project.store.reading() as connection:
            theirs = approving.given_by(connection, project.settings, mailing, by)
        names += ["take-back"] if theirs else []
    approved = approved_by(project, mailing).complete
    match mailing.state:
        case MailingState.PLANNED:
            names += [] if approved else ["approve"]
            names += ["send", "send-at"] if approved or mailing.practice else []
            names += ["pause"] if mailing.send_at else []
            names += ["cancel"]
        case MailingState.SENDING:
            names += ["pause", "cancel"]
        case MailingState.PAUSED:
            names += [] if approved else ["approve"]
            names += ["resume", "cancel"]
        case MailingState.HELD:
            names += ["cancel"]
    return [deed for name, deed in DEEDS.items() if name in names]


def count(project: Project, mailing: Mailing, deed: Deed) -> int:
    """How many messages a deed is about: the number that is typed for it."""
    if deed.counts == "planned":
        return mailing.planned
    with project.store.reading() as connection:
        return messages.remaining(connection, mailing.id)
