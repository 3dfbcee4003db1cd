"""A witness beside a database file: the newest attempt that was about to send, so that an older file put in the
file's place is known for what it is.

A copy that is opened elsewhere is told by its place; one that was laid over the original is not. The witness holds the
project's public id and a number. It is written before each batch leaves, in place and without waiting for the disk: it
guards against a hand that puts an older file back, not against a power cut, and it costs some ten microseconds.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sqlalchemy import Connection, text

from pillarbox.model.config import Settings


def place(settings: Settings) -> Path | None:
    """Where it lies; None for a database on a server, whose files nobody lays over each other."""
    url = settings.project.database
    if not url.startswith("sqlite:///"):
        return None
    file = settings.folder / url.removeprefix("sqlite:///")
    return file.with_name(file.name + ".reached")


def note(settings: Settings, project: str, attempt_id: int) -> None:
    """Write that an attempt is about to send. Whether that succeeds changes nothing for the sending."""
    path = place(settings)
    if path is not None:
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.write(file, f"{project} {attempt_id:018d}\n".encode())
            finally:
                os.close(file)


def reached(settings: Settings, project: str) -> int:
    """The newest attempt that is known to have been about to send; 0 when none is, or of another project."""
    path = place(settings)
    if path is None:
        return 0
    try:
        whose, _, number = path.read_text("ascii").strip().partition(" ")
        return int(number) if whose == project else 0
    except (OSError, ValueError):
        return 0


def is_behind(connection: Connection, settings: Settings, project: str) -> bool:
    """Whether this database does not know of an attempt that its witness saw: an older file lies here."""
    known = reached(settings, project)
    return known > 0 and known > _given_out(connection)


def catch_up(connection: Connection, settings: Settings, project: str) -> None:
    """Give out no attempt's number again, so that late events tell old attempts from new ones."""
    if is_behind(connection, settings, project):
        number = {"number": reached(settings, project)}
        if not connection.execute(text("UPDATE sqlite_sequence SET seq = :number WHERE name = 'attempts'"),
                                  number).rowcount:
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES ('attempts', :number)"), number)


def _given_out(connection: Connection) -> int:
    return int(connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'attempts'")).scalar() or 0)
