"""Restoring: a backup put in place of the database, in one transaction, and made safe in the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.ground.keys import fingerprint
from pillarbox.keeping import aftercare, backup, dump, journal, present, rows
from pillarbox.keeping.aftercare import Aftermath
from pillarbox.keeping.cipher import DamagedError
from pillarbox.keeping.dump import Dump, Manifest
from pillarbox.model.config import Settings
from pillarbox.store import migrate, witness
from pillarbox.store.connect import DamagedFileError, Store, connect
from pillarbox.store.project import Identity, Project, home, identity, place, settings_of
from pillarbox.store.schema import project as project_table

_LOCK_SECONDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What a restore put in place, and what must be done now."""

    file: str
    made_at: datetime
    project: str
    rows: int
    aftermath: Aftermath
    kept: str
    """Where the database that was replaced is kept: a backup of it, or its damaged file; empty when there was none."""

    def to_json(self) -> dict[str, object]:
        """The same as JSON-like data."""
        after = self.aftermath
        return {"file": self.file, "made_at": self.made_at.isoformat(), "project": self.project, "rows": self.rows,
                "kept": self.kept,
                "paused": [{"mailing": one.mailing, "practice": one.practice, "state": one.state,
                            "in_doubt": one.in_doubt, "remaining": one.remaining} for one in after.paused],
                "sent_since": [{"mailing": launch.mailing, "appeal": launch.appeal, "edition": launch.edition,
                                "practice": launch.practice, "at": launch.at.isoformat()}
                               for launch in after.sent_since],
                "schedules": list(after.schedules), "suppressions": after.suppressions, "erased": len(after.erased),
                "next": aftercare.next_steps(after)}


def restore(folder: Path, file: Path, *, sure: bool = False, journals: Sequence[Path] = (), actor: str = "staff",
            on_progress: Callable[[int], None] = lambda _done: None) -> Restored:
    """Put a backup in place of the project's database; all or nothing, whenever it is interrupted.

    What is there is backed up first. Everything unfinished is paused, everything unsettled goes in doubt, and what the
    journals tell of later launches is kept, so that nothing that was sent can be sent again.

    Args:
        folder: the project's; it need not have a database yet.
        file: the backup.
        sure: replace a database that is newer than the backup, in use or damaged.
        journals: journals of other hosts, beside those that lie where they should.

    Raises:
        Refused: no backup, a damaged one, or a database that must not be replaced without ``sure``.
        SettingsError: another key.
        StoreError: no database can be reached, or no room.
    """
    settings = settings_of(folder)
    with dump.opened(file, settings) as opened:
        _see_fit(opened, settings)
        manifest = opened.verify()
        launches = journal.read([*_journals(settings, file, opened.about.project), *_named(journals)])
        store, known, kept = _make_room(settings, opened, sure=sure)
        try:
            with migrate.alone(store) as connection:
                aftermath = _replace(connection, settings, opened, manifest, launches, known, actor, on_progress)
        finally:
            store.close()
        journal.add_missing(journal.place(settings), [*launches, *aftermath.sent_since])
        return Restored(file=str(file), made_at=opened.about.made_at, project=opened.about.project, rows=manifest.rows,
                        aftermath=aftermath, kept=kept)


def _see_fit(opened: Dump, settings: Settings) -> None:
    migrate.refuse_newer(opened.about.schema)
    if opened.about.key_fingerprint != fingerprint(settings.secret):
        raise Refused("This is the backup of another project, or of this one under another secret key: nobody in it "
                      "who left would be recognised.", where=opened.where,
                      todo="Put the pillarbox.key (or PILLARBOX_SECRET_KEY) of that time back first.")


def _journals(settings: Settings, file: Path, project: str) -> list[Path]:
    """Every place where launches may be told: beside the database, with the backups, with this backup."""
    return [journal.place(settings), journal.copy_in(journal.backups(settings), project),
            journal.copy_in(file.parent, project), file.parent / journal.FILE]


def _named(journals: Sequence[Path]) -> Sequence[Path]:
    for path in journals:
        if not path.is_file():
            raise Refused("There is no such journal.", where=str(path), todo=f"Its name is {journal.FILE}.")
    return journals


def _make_room(settings: Settings, opened: Dump, *, sure: bool) -> tuple[Store, Identity | None, str]:
    """The database to be replaced, whose it is, and where what it holds is kept: a backup of it, or its damaged file.

    Raises:
        Refused: it must not be replaced, or not without ``sure``.
    """
    store = connect(settings.project.database, settings.folder)
    try:
        known = _look(store, settings, opened, sure=sure)
        if known is None:
            return store, None, ""
        before = Project(id=known.id, folder=settings.folder, settings=settings, store=store)
        return store, known, str(backup.backup(before, "before-restore", spare=Path(opened.where)))
    except DamagedFileError as fault:
        store.close()
        if not sure:
            raise Refused(f"{fault.what} It would be put aside, and the backup in its place.",
                          where=place(settings.project.database), todo="Add --yes to have it so.") from None
        return connect(settings.project.database, settings.folder), None, _put_aside(settings)
    except BaseException:
        store.close()
        raise


def _put_aside(settings: Settings) -> str:
    file = settings.folder / settings.project.database.removeprefix("sqlite:///")
    stamp = f"{clock.now():%Y%m%d-%H%M%S}"
    aside = file.with_name(f"{file.name}.damaged-{stamp}")
    for tail in ("-wal", "-shm", ""):  # the log first: without its file it can do no harm
        if (part := file.with_name(file.name + tail)).exists():
            part.rename(file.with_name(f"{aside.name}{tail}"))
    return str(aside)


def _look(store: Store, settings: Settings, opened: Dump, *, sure: bool) -> Identity | None:
    """Whose database is there, when anything is in it.

    Raises:
        Refused: it must not be replaced, or not without ``sure``.
    """
    known = identity(store)
    if known is None:
        with store.reading() as connection:
            if names := rows.filled(connection):
                raise Refused(f"The database holds rows ({', '.join(names[:3])}), and does not say whose they are.",
                              where=place(settings.project.database), todo="Name an empty database.")
        return None
    if known.id != opened.about.project:
        with store.reading() as connection:
            if rows.is_as_good_as_empty(rows.filled(connection)):
                return None
        raise Refused(f"The database is another project's ({known.id}; the backup is of {opened.about.project}).",
                      where=place(settings.project.database), todo="Name an empty database for this backup.")
    if known.sealed:
        raise Refused("This database is sealed: its project was moved to another one, where it would have to be "
                      "restored.", where=place(settings.project.database),
                      todo="Name that one in PILLARBOX_DATABASE_URL. If it is out of use for good: `pillarbox store "
                           "adopt` first.")
    migrate.check(store)
    with store.snapshot() as connection:
        at_work = present.at_work(connection)
        news = present.news(connection, opened.about.made_at)
    if (at_work or news) and not sure:
        said = [f"it is in use ({', '.join(at_work)})"] if at_work else []
        since = ", ".join(f"{count:,} {what}" for what, count in news.items())
        said += [f"it is newer than the backup ({since})"] if news else []
        raise Refused(f"The database would be replaced, and {' and '.join(said)}.",
                      where=place(settings.project.database),
                      todo="End what runs first. If it shall be so, add --yes: a backup of it is made before.")
    return known


def _replace(connection: Connection, settings: Settings, opened: Dump, manifest: Manifest,
             launches: list[journal.Launch], known: Identity | None, actor: str,
             on_progress: Callable[[int], None]) -> Aftermath:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
    carried = present.Known() if known is None else present.known(
        connection, known.id, opened.about.made_at, rows.highest_ids(connection))
    rows.drop_all(connection)
    migrate.make(connection, opened.about.schema)
    read = opened.each(lambda frame, lines: rows.write(connection, frame, lines, on_progress))
    if read != manifest:
        raise DamagedError("The backup changed while it was read.", where=opened.where, todo="Try again.")
    migrate.make(connection, migrate.head())
    reached = max(manifest.highest.get("attempts", 0), witness.reached(settings, opened.about.project))
    aftermath = aftercare.settle(connection, made_at=opened.about.made_at, launches=launches, known=carried,
                                 highest=manifest.highest | {"attempts": reached})
    connection.execute(update(project_table).values(machine=home(settings)))
    aftercare.tell(connection, aftermath, made_at=opened.about.made_at, file=Path(opened.where).name, actor=actor)
    return aftermath
