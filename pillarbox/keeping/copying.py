"""Moving a project to another database: SQLite to PostgreSQL, and back, with nothing lost and never two that send.

The source is locked for writing from the first look to the last. The order of the commits is what keeps two databases
from both sending: the copy is committed sealed; then the source is sealed; then the copy is opened. A crash before the
second leaves the source as it was, one after it leaves a copy that is whole; run again, the command finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused, StoreError
from pillarbox.keeping import journal, present, rows
from pillarbox.keeping.rows import Tally
from pillarbox.model.config import Settings
from pillarbox.store import audit, migrate, placement
from pillarbox.store.connect import Store, connect
from pillarbox.store.project import ARRIVING, Identity, home, identity, place, settings_of
from pillarbox.store.schema import marks, metadata
from pillarbox.store.schema import project as project_table

_LOCK_SECONDS = 60
_SEAL = "seal"
"""The audit log's word for a source that was left; its detail names the home for which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """What was moved, and where the project lives now."""

    source: str
    target: str
    tables: dict[str, int]
    """Table → rows."""
    resumed: bool
    """An earlier run had copied it all; this one only opened the copy."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        return {"source": self.source, "target": self.target, "tables": self.tables, "rows": sum(self.tables.values()),
                "resumed": self.resumed}


def copy(folder: Path, url: str, *, actor: str = "staff",
         on_progress: Callable[[int], None] = lambda _done: None) -> Copied:
    """Move the project in ``folder`` to the database at ``url``, and seal the one that it lived in.

    Killed at any moment it leaves at most one database that can send; run again it starts anew, or finishes.

    Raises:
        Refused: somebody is at work in the source, or the target holds rows.
        StoreError: a database cannot be reached, is another's home, or did not take what was written.
    """
    settings = settings_of(folder)
    target_url = url
    if home(settings) == home(settings, target_url):
        raise Refused("The project lives there already.", where=place(target_url))
    placement.check(target_url, folder)
    source = connect(settings.project.database, folder)
    try:
        known = _see_source(source, settings)
        with _reached(target_url, settings) as target:
            waiting = _see_target(target, known, target_url)
            if known.sealed:
                if waiting is None or not waiting.sealed:
                    raise Refused("This database is sealed: its project was moved before.",
                                  where=place(settings.project.database),
                                  todo="Name the new one in PILLARBOX_DATABASE_URL.")
                done = _finish(source, target, settings, target_url, actor)
            else:
                done = _move(source, target, settings, target_url, actor, on_progress)
    finally:
        source.close()
    return done


def _see_source(source: Store, settings: Settings) -> Identity:
    """Whose database it is; it must be at home here."""
    known = identity(source)
    if known is None:
        raise Refused("There is nothing to move: the project has no database yet.", where=place(
            settings.project.database), todo="Set PILLARBOX_DATABASE_URL to the new one and begin there.")
    if known.machine != home(settings):
        raise StoreError("This database was made in another place or on another machine, or was copied away from here.",
                         where=place(settings.project.database),
                         todo="Move it from its home; or, if that is out of use for good, `pillarbox store adopt` "
                              "first.")
    if not known.sealed:
        migrate.upgrade(source)
    return known


@contextmanager
def _reached(url: str, settings: Settings) -> Iterator[Store]:
    target = connect(url, settings.folder)
    try:
        try:
            with target.reading() as connection:
                connection.execute(text("SELECT 1"))
        except StoreError as fault:
            raise StoreError(f"The database to move to cannot be reached. {fault.what}", where=place(url),
                             todo="See that its address is right and that it runs; nothing was changed.",
                             retry=True) from None
        yield target
    finally:
        target.close()


def _see_target(target: Store, known: Identity, url: str) -> Identity | None:
    """What an earlier run left there; None for an empty database.

    Raises:
        Refused: it holds rows that no broken-off copy of this project left.
    """
    migrate.refuse_newer(migrate.current(target))
    there = identity(target)
    with target.reading() as connection:
        names = rows.filled(connection)
        if rows.is_as_good_as_empty(names):
            return None
        if there is not None and there.id == known.id:
            arriving = connection.execute(select(marks.c.at).where(marks.c.name == ARRIVING)).first() is not None
            if arriving and there.sealed:
                return there
            if known.sealed and not there.sealed:
                raise Refused("The project lives there already; this database is sealed.", where=place(url),
                              todo="Name the new one in PILLARBOX_DATABASE_URL.")
    raise Refused(f"The database to move to holds rows already ({', '.join(names[:3])}).", where=place(url),
                  todo="Name an empty one; nothing was changed.")


# ------------------------------------------------------------------------------------------------ moving


def _move(source: Store, target: Store, settings: Settings, url: str, actor: str,
          on_progress: Callable[[int], None]) -> Copied:
    with _still(source) as reading:
        if at_work := present.at_work(reading):
            raise Refused(f"The project is in use: {', '.join(at_work)}.", where=place(settings.project.database),
                          todo="Pause or wait for what is being sent, end the worker, then run this again.")
        _refuse_open_attempts(reading, settings)
        with migrate.alone(target) as writing:
            tallies = _fill(reading, writing, on_progress)
        _change_over(reading, target, settings, url, actor)
    return Copied(source=place(settings.project.database), target=place(url), resumed=False,
                  tables={name: tally.rows for name, tally in tallies.items()})


@contextmanager
def _still(source: Store) -> Iterator[Connection]:
    """The source in one transaction, in which nobody else writes."""
    with source.writing() as connection:
        if not source.is_sqlite:
            connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
            connection.execute(text(f"LOCK TABLE {', '.join(metadata.tables)} IN EXCLUSIVE MODE"))
        yield connection


def _refuse_open_attempts(connection: Connection, settings: Settings) -> None:
    attempts, mailings = metadata.tables["attempts"], metadata.tables["mailings"]
    names = connection.execute(select(mailings.c.name).join(attempts).where(attempts.c.finished_at.is_(None))
                               .distinct()).scalars().all()
    letters = metadata.tables["service_letters"]
    if connection.execute(select(letters.c.id).where(letters.c.state == "submitting").limit(1)).first():
        raise Refused("A service letter is on its way, or its sender ended in the middle of it.",
                      where=place(settings.project.database),
                      todo="Run `pillarbox worker --once` in a few minutes; then run this again.")
    if names:
        raise Refused(f"A sender of {', '.join(names)} ended in the middle of a batch.",
                      where=place(settings.project.database),
                      todo=f"`pillarbox reconcile {names[0]}` sees to it; then run this again.")


def _fill(reading: Connection, writing: Connection, on_progress: Callable[[int], None]) -> dict[str, Tally]:
    """Copy every table into the target, and read both sides again: the same rows, to the byte. It stays sealed."""
    rows.drop_all(writing)
    migrate.make(writing, migrate.head())
    tallies = {}
    for frame in rows.frames():
        try:
            tallies[frame.name] = rows.write(writing, frame, rows.lines(reading, frame), on_progress)
        except (DataError, IntegrityError) as fault:
            raise StoreError(f"The table {frame.name} holds a value that the other database does not take "
                             f"({type(fault.orig).__name__}).",
                             todo="Nothing was changed. Please report this with the table's name.") from fault
    rows.give_out_after(writing, rows.highest_ids(reading))
    _compare(reading, writing)
    writing.execute(update(project_table).values(sealed=True))
    writing.execute(delete(marks).where(marks.c.name == ARRIVING))
    writing.execute(insert(marks).values(name=ARRIVING, at=clock.now()))
    return tallies


def _compare(reading: Connection, writing: Connection, leave_out: tuple[str, ...] = ()) -> None:
    for frame in rows.frames():
        if frame.name in leave_out:
            continue
        here, there = rows.tally(reading, frame).to_json(), rows.tally(writing, frame).to_json()
        if here != there:
            raise StoreError(f"The table {frame.name} did not arrive as it was ({here[0]:,} rows here, {there[0]:,} "
                             "there).", todo="Nothing was changed here, and the copy cannot send. Please report this.")


def _change_over(reading: Connection, target: Store, settings: Settings, url: str, actor: str) -> None:
    """Seal the source, then open the copy. ``reading`` is the source's transaction, which this commits."""
    sealed = False
    try:
        _bring_journal(settings, url)
        with target.writing() as opening:
            _open(opening, settings, url, actor)  # everything that could fail comes before the first commit
            reading.execute(update(project_table).values(sealed=True))
            audit.record(reading, actor=actor, action=_SEAL, subject="database",
                         detail={"to": place(url), "home": home(settings, url)})
            reading.commit()
            sealed = True
            # From here to the end of this block no database can send; nothing but the commit is left.
    except StoreError as fault:
        if not sealed:
            raise
        raise StoreError("The copy is whole and this database is sealed, but the copy could not be opened. "
                         + fault.what, where=place(url), todo="Run the same `pillarbox store copy` again: it finishes.",
                         retry=True) from fault


def _bring_journal(settings: Settings, url: str) -> None:
    """Before the copy is opened: once it is, nobody runs this command again."""
    try:
        journal.add_missing(journal.place(settings, url), journal.read([journal.place(settings)]))
    except OSError as fault:
        raise StoreError(f"The journal of launches could not be copied ({fault.strerror}).",
                         where=str(journal.place(settings, url)), todo="See that the folder may be written, and run "
                         "the same command again.", retry=True) from None


def _open(opening: Connection, settings: Settings, url: str, actor: str) -> None:
    opening.execute(update(project_table).values(sealed=False, machine=home(settings, url)))
    opening.execute(delete(marks).where(marks.c.name == ARRIVING))
    audit.record(opening, actor=actor, action="store copy", subject="database",
                 detail={"from": place(settings.project.database), "to": place(url)})


def _finish(source: Store, target: Store, settings: Settings, url: str, actor: str) -> Copied:
    """Open a copy whose source was sealed for it a moment before a crash."""
    log = metadata.tables["audit"]
    with _still(source) as reading:
        last = reading.execute(select(log.c.detail).where(log.c.action == _SEAL).order_by(log.c.id.desc()).limit(1)
                               ).scalar_one_or_none()
        if last is None or last.get("home") != home(settings, url):
            raise Refused("This database was sealed when its project was moved to "
                          f"{(last or {}).get('to', 'another')}, not to this one.", where=place(url),
                          todo="Name that one in PILLARBOX_DATABASE_URL.")
        with target.reading() as there:
            _compare(reading, there, leave_out=(project_table.name, marks.name, log.name))
            tables = {frame.name: rows.tally(there, frame).rows for frame in rows.frames()}
        _bring_journal(settings, url)
        with target.writing() as opening:
            _open(opening, settings, url, actor)
    return Copied(source=place(settings.project.database), target=place(url), resumed=True, tables=tables)
