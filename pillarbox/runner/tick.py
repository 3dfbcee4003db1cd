"""Everything that is due at this moment: the one function that the worker's loop, a cluster's jobs and the lab call.

    ticked = tick(project, worker=str(Worker.this()))
    for mailing in ticked.sendable:
        Run(dispatch=Dispatch.of(project, mailing, transport))(connections)     # runner.local

``tick`` hands over no message itself: it starts mailings whose time has come, buries the dead, closes what is done,
and names the mailings that have something to send now. Any number of processes may call it at once, as often as they
like: every change that it makes is one conditional update.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pillarbox.giving import asking as hooks
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError, Refused, StoreError
from pillarbox.keeping import backup
from pillarbox.mailings import (
    approval,
    asking,
    brakes,
    closing,
    control,
    holding,
    hours,
    launch,
    live,
    notices,
    occurrences,
    refusals,
    schedules,
    service,
)
from pillarbox.mailings.burying import bury_the_dead
from pillarbox.model.states import MailingState
from pillarbox.store import due, mailings, migrate, waves, workers
from pillarbox.store.connect import ClashError
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project

Step = tuple[str, Callable[[Project], object]]
StepOfAMailing = tuple[str, Callable[[Project, Mailing], object]]

# Other parts of the house that act by the clock, a line each: what it is called when it breaks, and the call.
BEFORE: Sequence[Step] = (
    ("the nightly backup", backup.nightly),
    ("GoCardless's answers", hooks.due),
)
# The same for each mailing that is being sent.
OF_EACH: Sequence[StepOfAMailing] = (
    ("the launch", launch.advance),
    ("the brakes", brakes.look),
)
AFTER: Sequence[Step] = (
    ("the service letters", service.deliver),
    ("old sign-ups", service.sweep),
    ("the notices", notices.deliver),
)

_GRACE = timedelta(minutes=10)
"""So long a mailing's own web side may be unreachable at its start (a host that has just come up) before it asks."""
_TICK_NOTED_EVERY = timedelta(seconds=10)
_OPEN = (MailingState.PLANNED, MailingState.SENDING, MailingState.HELD, MailingState.PAUSED, MailingState.CANCELLED)


@dataclass(kw_only=True, slots=True)
class Ticked:
    """What a tick did and found."""

    did: list[str] = field(default_factory=list)
    """A sentence for each thing that it did."""
    faults: list[str] = field(default_factory=list)
    """A sentence for each thing that stands in the way; the same one comes with every tick while it lasts."""
    sendable: list[Mailing] = field(default_factory=list)
    """Mailings that have something to send now."""
    next_at: datetime | None = None
    """When the next waiting mailing is due; None: none waits."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {"did": self.did, "faults": self.faults, "sendable": [mailing.name for mailing in self.sendable],
                "next_at": self.next_at.isoformat() if self.next_at else None}


def tick(project: Project, *, worker: str) -> Ticked:
    """Do everything that is due now, and say which mailings have something to send.

    Args:
        project: the open project.
        worker: who ticks (``str(ground.process.Worker.this())``); written into the audit log.

    Raises:
        StoreError: the database is away; whatever was done until then stays done.
        NewerDatabaseError: a newer program has changed it.
    """
    migrate.refuse_when_left_behind(project.store)
    done = Ticked()
    since = _since(project)
    _guarded(done, "the schedules", partial(schedules.tick, project, say=done.did.append))
    for name, call in BEFORE:
        _guarded(done, name, partial(call, project))
    _start_due(project, done, worker)
    hurt = _bury(project, done)
    with project.store.reading() as connection:
        open_now = due.of_states(connection, MailingState.SENDING)
    for mailing in open_now:
        _guarded(done, mailing.name, partial(_look_after, project, mailing, done, since, mailing.id in hurt))
    _guarded(done, "what SendGrid keeps", lambda: done.did.extend(
        f"{name} has left SendGrid." for name in holding.release(project)))
    with project.store.reading() as connection:
        ahead = due.waiting(connection)
    # One that is overdue (its hours have not come, another worker's transport) does not hurry the next look.
    done.next_at = min((mailing.send_at for mailing in ahead if mailing.send_at and mailing.send_at > clock.now()),
                       default=None)
    for name, call in AFTER:
        _guarded(done, name, partial(call, project))
    return done


def _since(project: Project) -> datetime | None:
    """When anybody last ticked, the present at most; notes this tick."""
    moment = clock.now()
    with project.store.reading() as connection:
        last = workers.last_tick(connection)
    if last is None or abs(moment - last) > _TICK_NOTED_EVERY:
        with project.store.writing() as connection:
            workers.ticked(connection)
    return min(last, moment) if last else None


def _guarded(done: Ticked, what: str, call: Callable[[], object]) -> None:
    """Make a call; what breaks in it is said, and keeps nothing else from being done."""
    try:
        call()
    except PillarboxError as fault:
        if isinstance(fault, StoreError) and not isinstance(fault, ClashError):
            raise
        done.faults.append(f"{what}: {fault.sentence()}")
    except Exception as fault:  # noqa: BLE001 - one broken part must not stop the letters of the others
        done.faults.append(f"{what}: {broken(fault)}")


def broken(fault: Exception) -> str:
    """A fault of the program in words, without its own words: those may hold supporters' data."""
    last = traceback.extract_tb(fault.__traceback__)[-1]
    return f"Something broke inside Pillarbox ({type(fault).__name__} at {Path(last.filename).name}:{last.lineno})."


# ------------------------------------------------------------------------------------------------ starting


def _start_due(project: Project, done: Ticked, worker: str) -> None:
    with project.store.reading() as connection:
        found = due.waiting(connection, until=clock.now())
    for mailing in found:
        _guarded(done, mailing.name, partial(_start, project, mailing, done, worker))


def _start(project: Project, mailing: Mailing, done: Ticked, worker: str) -> None:
    """Start a mailing whose time has come, or say why not."""
    if schedules.holds_back(project, mailing):
        return
    refusals.refuse_other_road(project, mailing)
    zone, moment = project.settings.project.zone, clock.now()
    at = hours.first_moment(mailing, zone, mailing.send_at or moment)
    if at > moment or schedules.holds_back(project, mailing):
        return
    try:
        refusals.refuse_to_start(mailing)
        with project.store.reading() as connection:
            approval.refuse_unapproved(connection, project.settings, mailing)
        asking.refuse_late(project, mailing, at)
        if mailing.started_at is None:
            live.refuse(project)  # a backup costs minutes: it is made when nothing else stands in the way
            backup.before_send(project)
        control.start(project, mailing.name, actor=mailing.send_by or worker)
    except Refused as fault:
        if fault.retry and moment - at < _GRACE:
            raise
        if asking.ask(project, mailing, reason=fault.sentence(), before=(MailingState.PLANNED,)):
            done.did.append(f"{mailing.name} does not leave by itself: {fault.sentence()}")
    else:
        asked = "its schedule says" if mailing.send_by == occurrences.BY else f"{mailing.send_by or 'staff'} asked"
        done.did.append(f"{mailing.name} is started, as {asked}.")


# ------------------------------------------------------------------------------------------------ under way


def _bury(project: Project, done: Ticked) -> set[int]:
    """Settle what dead senders left, in every mailing that still has something on its way; returns which had any."""
    hurt: set[int] = set()
    with project.store.reading() as connection:
        found = [mailings.by_id(connection, mailing_id) for mailing_id in due.with_open_attempts(connection, _OPEN)]
    for mailing in found:
        _guarded(done, mailing.name, partial(_bury_of, project, mailing, done, hurt))
    return hurt


def _bury_of(project: Project, mailing: Mailing, done: Ticked, hurt: set[int]) -> None:
    buried = bury_the_dead(project, mailing, repeatable=mailing.transport == "files")
    if not buried:
        return
    hurt.add(mailing.id)
    words = "will be written again" if mailing.transport == "files" else "nobody is sure went"
    done.did.append(f"{mailing.name}: a sender died; {buried:,} messages of its {words}.")
    control.finish_if_done(project, mailing)


def _look_after(project: Project, mailing: Mailing, done: Ticked, since: datetime | None, died: bool) -> None:
    """A mailing that is being sent: closed when done, held back outside its time, else named as sendable."""
    refusals.refuse_other_road(project, mailing)
    for name, call in OF_EACH:
        _guarded(done, f"{name} of {mailing.name}", partial(call, project, mailing))
    with project.store.reading() as connection:
        mailing = mailings.by_id(connection, mailing.id)
        left = due.unsettled(connection, mailing.id)
        group = waves.next_group(connection, mailing.id, wave=mailing.wave)
    if mailing.state is not MailingState.SENDING:
        return
    if not left:
        if control.finish_if_done(project, mailing):
            done.did.append(f"{mailing.name} is done.")
        return
    if words := closing.look(project, mailing, since=since, died=died):
        done.did.append(words)
    with project.store.reading() as connection:
        if mailings.state(connection, mailing.id) is not MailingState.SENDING:
            return
    if group is not None and hours.may_leave(mailing, project.settings.project.zone, clock.now()):
        done.sendable.append(mailing)
