"""What is under way: mailings, the worker and what waits for it, events, backups, and what staff were told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select

from pillarbox.doctor import approving, service
from pillarbox.doctor.finding import Finding, look, unless_practice, well, wrong
from pillarbox.ground import clock
from pillarbox.ground.errors import PillarboxError
from pillarbox.keeping import backup, dump, journal
from pillarbox.model.config import Settings
from pillarbox.model.states import MailingState, MessageState
from pillarbox.store import notices, numbers, workers
from pillarbox.store.project import Project
from pillarbox.store.schema import attempts, mailings, messages, schedules

_STALLED = timedelta(minutes=15)
_SILENT = timedelta(hours=1)
_UNTOLD = timedelta(hours=1)
_OLD_BACKUP = timedelta(hours=50)
"""Two nights and some spare."""


def examine(project: Project, *, thorough: bool = False) -> Iterator[Finding]:
    """Everything that the ledger tells of work; when thorough, the newest backup is read from end to end."""
    settings = project.settings
    with project.store.reading() as connection:
        yield from _doubt(connection)
        yield from _open(connection, settings)
        yield from approving.examine(connection, settings)
        yield from _worker(connection, settings)
        yield from _heard(connection, settings)
        yield from _backups(connection, project, thorough=thorough)
        yield from _told(connection, settings)
    yield from service.examine(project)


# ------------------------------------------------------------------------------------------ mailings


def _doubt(connection: Connection) -> Iterator[Finding]:
    for row in numbers.in_doubt(connection):
        yield unless_practice(
            row.practice, "in-doubt", f"Nobody is sure whether {row.messages:,} messages of {row.name} went.",
            f"Run `pillarbox reconcile {row.name}`: it asks the events first, then you.")


def _open(connection: Connection, settings: Settings) -> Iterator[Finding]:
    rows = numbers.open_mailings(connection)
    found = [finding for row in rows if (finding := _standing(connection, row.id, settings))]
    yield from found
    if not found:
        waiting = f" {len(rows)} planned and not begun." if rows else ""
        yield well("mailings", f"No mailing has stopped half way.{waiting}")


def _standing(connection: Connection, mailing_id: int, settings: Settings) -> Finding | None:
    row = connection.execute(select(mailings).where(mailings.c.id == mailing_id)).one()
    left = sum(count for state, count in numbers.states(connection, mailing_id).items()
               if state in (MessageState.PLANNED, MessageState.SUBMITTING))
    moment = clock.now()
    match MailingState(row.state):
        case MailingState.PAUSED:
            return unless_practice(
                row.practice, "paused", f"{row.name} is paused, with {left:,} messages to go: "
                                        f"{(row.state_reason or 'by staff').rstrip('.')}.",
                f"When that is settled: `pillarbox resume {row.name}`, or `pillarbox cancel {row.name}`.")
        case MailingState.SENDING if left and not row.watch_until and _still(connection, row, moment):
            return unless_practice(
                row.practice, "stopped", f"{row.name} stopped half way: {left:,} messages have not gone, and nothing "
                                         "moved for a quarter of an hour.",
                f"`pillarbox send {row.name}` goes on where it stopped; nobody gets it twice.")
        case MailingState.PLANNED if row.send_at and row.send_at < moment - _STALLED:
            return unless_practice(
                row.practice, "not-started", f"{row.name} was to leave at {_at(row.send_at, settings)}, and has not.",
                "See that a worker runs, and that it is approved: `pillarbox status`.")
    return None


def _still(connection: Connection, row: Row[Any], moment: datetime) -> bool:
    """Whether no batch of the mailing began or ended lately."""
    mailing = row._mapping
    moved = connection.execute(select(
        func.max(attempts.c.started_at, type_=attempts.c.started_at.type),
        func.max(attempts.c.finished_at, type_=attempts.c.finished_at.type),
    ).where(attempts.c.mailing_id == mailing["id"])).one()
    known = [each for each in (*moved, mailing["started_at"]) if each is not None]
    return not known or max(known) < moment - _STALLED


# ------------------------------------------------------------------------------------------ the worker


def _worker(connection: Connection, settings: Settings) -> Iterator[Finding]:
    seen = numbers.last_worker(connection)
    if count := len(workers.present(connection)):
        yield well("worker", f"{'A worker runs' if count == 1 else f'{count} workers run'}, last seen at "
                             f"{_at(seen, settings) if seen else 'this moment'}.")
        return
    since = f"none was seen since {_at(seen, settings)}" if seen else "none was ever seen"
    waits = _waiting_for_it(connection)
    if waits:
        yield wrong("worker-not-seen", f"No worker runs ({since}), but {' and '.join(waits)} wait for one.",
                    "Start `pillarbox worker` (docs/box.md: as a service), and see why it ended.")
    elif settings.project.home == "box" and not settings.practice:
        yield look("worker-not-seen", f"No worker runs ({since}): no schedule, no nightly backup, no mail to staff.",
                   "Start `pillarbox worker` as a service (docs/box.md).")
    else:
        yield well("worker", "No worker runs, and nothing waits for one.")


def _waiting_for_it(connection: Connection) -> list[str]:
    regular = connection.execute(select(func.count()).select_from(schedules).where(
        schedules.c.removed_at.is_(None))).scalar_one()
    timed = connection.execute(select(func.count()).select_from(mailings).where(
        mailings.c.send_at.is_not(None), mailings.c.state == MailingState.PLANNED)).scalar_one()
    return [f"{count} {words if count > 1 else words.removesuffix('s')}" for count, words in
            ((regular, "schedules"), (timed, "timed mailings")) if count]


# ------------------------------------------------------------------------------------------ events


def _heard(connection: Connection, settings: Settings) -> Iterator[Finding]:
    if settings.project.transport != "sendgrid" or settings.project.home == "laptop":
        return
    marks = numbers.all_marks(connection)
    heard, received = marks.get("events-heard:sendgrid"), marks.get("events-received:sendgrid")
    newest = connection.execute(
        select(mailings.c.name, mailings.c.practice, func.max(messages.c.accepted_at,
                                                              type_=messages.c.accepted_at.type).label("last"))
        .join(messages, messages.c.mailing_id == mailings.c.id)
        .where(mailings.c.transport == "sendgrid", messages.c.state == MessageState.ACCEPTED,
               mailings.c.id == select(func.max(mailings.c.id)).where(
                   mailings.c.transport == "sendgrid", mailings.c.started_at.is_not(None)).scalar_subquery())
        .group_by(mailings.c.name, mailings.c.practice)).one_or_none()
    if newest is not None and clock.now() - newest.last > _SILENT and (received is None or received < newest.last):
        yield unless_practice(
            newest.practice, "events-silent", f"Nothing was heard from SendGrid since {newest.name} left.",
            "See that `serve` runs and can be reached from outside: SendGrid tries again for 24 hours.")
    elif heard is not None:
        yield well("events", f"Events were heard up to {_at(heard, settings)}.")


# ------------------------------------------------------------------------------------------ backups, notices


def _backups(connection: Connection, project: Project, *, thorough: bool) -> Iterator[Finding]:
    settings = project.settings
    yield from _folder(journal.backups(settings))
    newest = next(iter(backup.known(journal.backups(settings), project.id)), None)
    if newest is None:
        supporters = connection.execute(select(func.count()).select_from(mailings).where(
            mailings.c.practice.is_(False))).scalar_one()
        yield (wrong if supporters else look)(
            "no-backup", "There is no backup of the database.",
            "`pillarbox store backup` makes one; a worker makes one every night ([backup]).")
        return
    made = newest.made_at
    try:
        with dump.opened(newest.path, settings) as opened:
            if thorough:
                opened.verify()
            else:
                opened.glance()
    except PillarboxError as fault:
        yield wrong("backup-unreadable", f"The newest backup ({newest.path.name}) could not be restored: {fault.what}",
                    f"{fault.todo} Or make another: `pillarbox store backup`.")
        return
    if settings.backup.nightly and clock.now() - made > _OLD_BACKUP:
        yield unless_practice(settings.practice, "backup-old", f"The newest backup is of {_at(made, settings)}.",
                              "A worker makes one every night; by hand: `pillarbox store backup`.")
    else:
        yield well("backup", f"The newest backup is of {_at(made, settings)}. Is a copy kept on another machine?")


def _folder(folder: Path) -> Iterator[Finding]:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield wrong("backup-folder", f"Backups cannot be written into {folder}: "
                    + (f"you may not write in {there}." if there.is_dir() else f"{there} is a file."),
                    "Mend that, or name another [backup] folder: a live mailing does not start without its backup.")


def _told(connection: Connection, settings: Settings) -> Iterator[Finding]:
    waiting, oldest = numbers.oldest_untold(connection)
    failing = notices.failing_since(connection)
    if not settings.staff.email:
        if not settings.practice:
            yield look("staff", "Nobody is mailed when a mailing pauses itself or a newsletter is not sent.",
                       'Put addresses into [staff] email: email = ["office@…"].')
    elif failing is not None:
        yield wrong("staff-mail", f"Staff could not be mailed what happened since {_at(failing, settings)}.",
                    "See above what is wrong with the way out; it is tried again by itself.")
    elif oldest is not None and clock.now() - oldest > _UNTOLD:
        yield look("staff-mail", f"{waiting:,} notices wait to be mailed, the oldest of {_at(oldest, settings)}.",
                   "A worker mails them: see that one runs.")
    else:
        yield well("staff", "Staff are mailed what happens by itself.")
    if waiting and not settings.staff.email:
        for row in notices.newest(connection, 3):
            yield look("notice", f"{_at(row.at, settings)}: {row.words}")


def _at(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.project.zone)):%d %B %Y, %H:%M}"
