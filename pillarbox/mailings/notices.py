"""Tells staff by mail what happened by itself: a mailing that paused, an edition that was not sent, a late schedule.

Each notice is told at least once. Told twice is one only whose mail went while the process died before it wrote so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from pillarbox.deliver import staff
from pillarbox.deliver.headers import one_line
from pillarbox.deliver.staff import StaffMail
from pillarbox.ground import clock, logs, metrics
from pillarbox.ground.errors import PillarboxError
from pillarbox.mailings.envelopes import PRACTICE_SENDER
from pillarbox.model.config import Settings
from pillarbox.store import notices
from pillarbox.store.project import Project

log = logs.get("mailings")

MOST = 40
"""Notices a mail; the rest stand in `status` and `doctor`, and follow in the next."""
# While a mail is on its way nobody else begins one; longer than any way out may take.
_TURN = timedelta(minutes=10)
# What happens within a minute of a mail waits for the next: a brake often brings several notices at once.
_QUIET = timedelta(minutes=1)
_LONGEST, _SUBJECT = 1_000, 90
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


def deliver(project: Project) -> int:
    """Mail the untold notices to [staff] email as one plain message, by the project's own way out.

    Never raises, and never keeps others waiting long: sending goes on, whatever becomes of a mail to staff. What did
    not go is tried again, after a minute at first, after an hour at most. Two processes do not mail the same.

    Returns:
        how many notices were told.
    """
    try:
        return _deliver(project)
    except PillarboxError as fault:
        log.fault("notices.failed", fault)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the worker that calls this has letters to send
        log.fault("notices.broke", fault)
    return 0


def _deliver(project: Project) -> int:
    if not project.settings.staff.email:
        return 0
    with project.store.reading() as connection:
        if not notices.may_try(connection) or not notices.untold(connection):
            return 0
    with project.store.writing() as connection:
        if not notices.take_turn(connection, clock.now() + _TURN):
            return 0
        waiting = notices.untold(connection)
        rows = waiting[:MOST]
        names = notices.names(connection, [row.mailing_id for row in rows if row.mailing_id])
    if not rows:
        return 0
    try:
        staff.post(project.settings, message(project, rows, names, more=len(waiting) - len(rows)))
    except Exception:  # whatever stood in the way: it is tried again later, and raised
        with project.store.writing() as connection:
            wait = notices.failed(connection, least=_FIRST_WAIT, most=_LONGEST_WAIT)
        metrics.NOTICES.labels("failed").inc()
        log.warning("notices.wait", notices=len(rows), wait_seconds=wait.total_seconds())
        raise
    with project.store.writing() as connection:
        notices.went(connection, [row.id for row in rows], clock.now() + _QUIET)
    metrics.NOTICES.labels("told").inc()
    log.info("notices.told", notices=len(rows), staff=len(project.settings.staff.email))
    return len(rows)


def message(project: Project, rows: Sequence[Row[Any]], names: Mapping[int, tuple[str, bool]], *,
            more: int = 0) -> StaffMail:
    """The mail that tells these notices."""
    settings = project.settings
    lines = [_line(row, names, settings) for row in rows]
    if more:
        lines.append(f"And {more:,} more, which follow in the next mail.")
    charity = settings.sender.name or settings.folder.name
    text = "\n\n".join([
        f"Pillarbox at {charity} tells you what happened by itself:" if len(rows) > 1 or more else
        f"Pillarbox at {charity} tells you:",
        *lines,
        "What stands where: `pillarbox status`. What is wrong, and what to do: `pillarbox doctor`.",
        "This mail is to the addresses in [staff] email of pillarbox.toml.",
    ])
    return StaffMail(
        name=f"{project.id}-notices-{rows[0].id}-{rows[-1].id}", to=settings.staff.email, text=text + "\n",
        from_name=f"Pillarbox, {charity}", from_email=settings.sender.email or PRACTICE_SENDER,
        subject=_subject(rows, names))


def _subject(rows: Sequence[Row[Any]], names: Mapping[int, tuple[str, bool]]) -> str:
    about = {names[row.mailing_id] for row in rows if row.mailing_id in names}
    practice = "PRACTICE: " if about and all(practice for _, practice in about) else ""
    name = f"{next(iter(about))[0]}: " if len(about) == 1 else ""
    if len(rows) > 1:
        return f"[Pillarbox] {practice}{name}{len(rows)} notices"
    return f"[Pillarbox] {practice}{name}{shorten(_safe(rows[0].words), _SUBJECT, placeholder=' …')}"


def _line(row: Row[Any], names: Mapping[int, tuple[str, bool]], settings: Settings) -> str:
    name, practice = names.get(row.mailing_id, ("", False))
    parts = (said_when(row.at, settings), name, "PRACTICE: nobody is mailed" if practice else "")
    head = ", ".join(part for part in parts if part)
    return f"* {head}\n  {_safe(row.words)}"


def _safe(words: str) -> str:
    """By promise no notice speaks of a person; should one ever name an address or a key, it does not leave by mail."""
    return logs.scrubbed(one_line(words))[:_LONGEST]


def said_when(moment: datetime, settings: Settings) -> str:
    """A time as staff read it, in the charity's zone."""
    return f"{moment.astimezone(ZoneInfo(settings.project.zone)):%a %d %b %Y, %H:%M}"
