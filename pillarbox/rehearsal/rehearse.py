"""A rehearsal: the whole mailing, every byte of every request, to a SendGrid of this machine's own.

It happens in a scratch copy of the project (``scratch``): nothing of it stands in the project's ledger, no key of it
leads anywhere, and nobody is mailed. A process of its own sends (``sender``), and is killed in the middle
(``observer``); what that leaves is settled as it would be in earnest (``recovery``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess

from sqlalchemy import Connection, select

from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings import approval, control, letters, planning
from pillarbox.model.states import MailingState, MessageState
from pillarbox.people import audience, frequency, segments, wishes
from pillarbox.rehearsal import recovery, sender
from pillarbox.rehearsal.observer import Observer
from pillarbox.rehearsal.recovery import Crash
from pillarbox.rehearsal.scratch import scratch
from pillarbox.standin.behaviour import Behaviour
from pillarbox.standin.mailbox import Kept
from pillarbox.standin.server import Standin
from pillarbox.store import mailings
from pillarbox.store.mailings import Mailing
from pillarbox.store.project import Project
from pillarbox.store.schema import images as kept_images
from pillarbox.store.schema import messages, supporters

LETTERS = 20
ALREADY_REACHED = "already-reached"
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""What a step is called, and how many things it does (None: not known) → where to say how many were just done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be rehearsed."""

    appeal: str
    rule: audience.Rule
    for_date: date | None = None
    again: str | None = None
    letters: int = LETTERS
    """So many random letters are kept to look at."""
    crash: bool = True
    """Whether its sender is killed in the middle."""
    named: bool = False
    """Whether it is told who is left out, and not only how many."""


Images = Mapping[str, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What a rehearsal was."""

    mailing: Mailing
    """As it stands in the scratch copy, which is gone."""
    warnings: tuple[str, ...]
    """What stands against a live mailing."""
    slow_reasons: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    """Address and reason of each who is left out; empty when that was not asked for."""
    accepted: int
    failed: int
    withdrawn: int
    lost: int
    """Planned, not refused, and never arrived."""
    twice: int
    """Letters beyond the first to the same address."""
    requests: int
    bytes: int
    """Of their bodies."""
    seconds: Mapping[str, float]
    """``copying``, ``composing``, ``sending``."""
    crash: Crash | None
    """None: there was none."""
    letters: tuple[Kept, ...]
    images: Images = field(default_factory=dict)
    """Public name → content of what the letters show."""

    @property
    def sound(self) -> bool:
        """Whether everybody who should have a letter has it once."""
        return not (self.lost or self.twice or self.failed)

    def to_json(self) -> dict[str, object]:
        """The command line's contract for ``rehearse --json``."""
        mailing = self.mailing
        data: dict[str, object] = {
            "appeal": mailing.appeal, "edition": mailing.edition, "practice": mailing.practice,
            "audience": mailing.audience_size, "planned": mailing.planned, "excluded": dict(mailing.excluded),
            "shapes": mailing.shapes, "slow_path": mailing.slow_path, "accepted": self.accepted, "failed": self.failed,
            "withdrawn": self.withdrawn, "lost": self.lost, "twice": self.twice, "requests": self.requests,
            "bytes": self.bytes, "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "crash": self.crash.to_json() if self.crash else None, "warnings": list(self.warnings),
            "ok": self.sound}
        if self.left_out:
            data["left_out"] = [{"address": address, "reason": reason} for address, reason in self.left_out]
        return data


def rehearse(project: Project, wish: Wish, progress: Progress) -> Rehearsal:
    """Send a whole mailing to a stand-in, crash it in the middle, and tell what happened.

    Raises:
        LetterError: faults in the letter, or in some supporter's copy.
        Refused: nobody to write to, an edition that was sent, no room on the disk.
        PillarboxError: the sending broke off for another reason than the crash.
    """
    letters.read(project, wish.appeal)  # before anything is copied: its name may be no folder's name at all
    watch = _Watch()
    observer = Observer(letters=wish.letters)
    with Standin(Behaviour(keep=0, heard=observer)) as standin:
        with progress("Copying what it reads", None) as advance:
            copied = scratch(project, wish.appeal, sendgrid_url=standin.url, on_progress=advance)
            made = copied.__enter__()
        try:
            return _rehearse(made, wish, progress, watch, observer, standin)
        finally:
            copied.__exit__(None, None, None)


class _Watch:
    """Tells how long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._at = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._at
        self._at = now


def _rehearse(made: Project, wish: Wish, progress: Progress, watch: _Watch, observer: Observer,
              standin: Standin) -> Rehearsal:
    watch.lap("copying")
    _make_way(made, wish.appeal)
    with progress(f"Composing {wish.appeal}", None) as advance:
        planned = planning.plan(made, planning.Wish(appeal=wish.appeal, rule=wish.rule, for_date=wish.for_date,
                                                    again=wish.again, actor=recovery.BY), on_progress=advance)
    watch.lap("composing")
    left_out = tuple(_left_out(made, planned.mailing)) if wish.named else ()
    with progress("Sending it to this machine's own SendGrid", planned.mailing.planned) as advance:
        observer.on_progress = advance
        crash = _send(made, planned.mailing, observer, crash=wish.crash)
    watch.lap("sending")
    with made.store.reading() as connection:
        mailing = mailings.by_id(connection, planned.mailing.id)
        images = {row.name: row.content for row in connection.execute(select(kept_images))}
        found = [(str(row.state), str(row.address).lower()) for row in connection.execute(
            select(messages.c.state, messages.c.address).where(messages.c.mailing_id == mailing.id))]
    states = [state for state, _ in found]
    left = (MessageState.WITHDRAWN, MessageState.FAILED)
    return Rehearsal(
        mailing=mailing, warnings=planned.warnings, slow_reasons=planned.slow_reasons, left_out=left_out,
        accepted=states.count(MessageState.ACCEPTED), failed=states.count(MessageState.FAILED),
        withdrawn=states.count(MessageState.WITHDRAWN),
        lost=sum(address not in observer.times for state, address in found if state not in left),
        twice=observer.twice, requests=standin.mailbox.requests, bytes=standin.mailbox.bytes, seconds=watch.seconds,
        crash=crash, letters=tuple(observer.sample), images=images)


def _make_way(made: Project, appeal: str) -> None:
    """What waits in earnest to be sent of the appeal does not stand in its rehearsal's way."""
    with made.store.writing() as connection:
        for mailing in mailings.all_of(connection, appeal=appeal, practice=made.settings.practice):
            if mailing.state is MailingState.PLANNED and not mailing.started_at:
                control.cancel_within(connection, mailing, reason=approval.REPLACED, actor=recovery.BY)


def _left_out(made: Project, mailing: Mailing) -> list[tuple[str, str]]:
    """Address and reason of everybody who is left out."""
    with made.store.reading() as connection:
        found = list(audience.left_out_each(
            connection, audience.Rule.from_json(mailing.audience),
            segments.from_json(mailing.audience.get("definitions", {})),
            recent=frequency.of_mailing(connection, mailing.id), asked=wishes.of_mailing(connection, mailing.id)))
        if mailing.excluded.get(ALREADY_REACHED):
            found += [(address, ALREADY_REACHED) for address in _reached(connection, mailing)]
    return found


def _reached(connection: Connection, mailing: Mailing) -> list[str]:
    """Who has the letter of this edition by another mailing."""
    unreached = (MessageState.CANCELLED, MessageState.WITHDRAWN, MessageState.FAILED)
    return [str(address or "") for address in connection.execute(
        select(supporters.c.address).join(messages, messages.c.supporter_id == supporters.c.id).where(
            messages.c.edition_id == mailing.edition_id, messages.c.mailing_id != mailing.id,
            messages.c.state.not_in(unreached)).order_by(supporters.c.id)).scalars()]


# ------------------------------------------------------------------------------------------------ sending


def _send(made: Project, mailing: Mailing, observer: Observer, *, crash: bool) -> Crash | None:
    """Send it all, by as many processes as die over it, and settle what they leave."""
    order = sender.Order(settings=made.settings, project_id=made.id, folder=made.folder, mailing=mailing.name)
    observer.crash_after = max(1, mailing.planned // 2) if crash else None
    _run(order, observer)
    if observer.killed_at is None:
        return None
    observer.recover()
    _run(order, observer)
    found = recovery.settle(made, mailing, observer)
    if found.sent_again:
        _run(order, observer)
    return found


def _run(order: sender.Order, observer: Observer) -> None:
    """Have a process send until it ends, or is killed by the observer.

    Raises:
        PillarboxError: it ended for another reason.
    """
    killed_before = observer.killed_at is not None
    process, pipe = sender.start(order)
    observer.sender = process
    try:
        said = _last_words(process, pipe)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        pipe.close()
    if observer.killed_at is not None and not killed_before:
        return
    if said is None:
        raise PillarboxError("The process that sends a rehearsal ended without a word.",
                             todo="See that the machine has memory to spare, then run it again.")
    if said:
        raise PillarboxError(f"The rehearsal's sending stopped: {said}")


def _last_words(process: BaseProcess, pipe: Pipe) -> str | None:
    """What it says at its end; None when it was killed before it could."""
    try:
        said: str = pipe.recv()
    except EOFError:
        return None
    process.join()
    return said
