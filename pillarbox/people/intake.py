"""A list file into the database, whole or not at all, with a report in which every row is counted once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from pillarbox.ground import clock
from pillarbox.ground.errors import Refused
from pillarbox.model.states import Basis
from pillarbox.people import entries, formats
from pillarbox.people.enrolment import SOFT_OPT_IN_FROM, Tally, Terms, enrol
from pillarbox.people.entries import Rejected
from pillarbox.store import audit, lists
from pillarbox.store.connect import Store
from pillarbox.store.schema import imports
from pillarbox.tables import file

ZONE = "Europe/London"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
# Any number that is always the same: imports into PostgreSQL wait for each other, as SQLite's writers do.
_IMPORT_LOCK = 7_230_411


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did. rows = added + updated + unchanged + rejected + kept out + merged."""

    rows: int
    """Rows of the file that hold anything, its headings aside."""
    added: int
    updated: int
    unchanged: int
    rejected: tuple[Rejected, ...]
    kept_out: dict[str, int]
    """Reason → supporters whom no import brings back."""
    merged: int
    """Rows that spoke of a supporter whom another row of the file speaks of."""
    list_name: str
    list_created: bool
    """Whether the list is new: a slip in its name would show here."""
    format: str
    columns: dict[str, str]
    """Heading → where it went."""
    about: dict[str, str] = field(default_factory=dict)
    """Encoding and delimiter, or sheet."""
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The stable keys of ``lists import --json``, and a few more."""
        return {
            "rows": self.rows, "added": self.added, "updated": self.updated, "unchanged": self.unchanged,
            "rejected": [{"line": row.line, "reason": row.reason} for row in self.rejected],
            "kept_out": self.kept_out, "merged": self.merged, "list": self.list_name,
            "list_created": self.list_created, "format": self.format, "columns": self.columns, "about": self.about,
            "warnings": [*self.warnings], "dry_run": self.dry_run,
        }


class _Rehearsed(Exception):
    """Ends a dry run's transaction, which is then rolled back."""


def import_list(
    store: Store, *, secret: bytes, path: Path, list_name: str, format: str = "auto",  # noqa: A002 - the command's word
    mapping: Mapping[str, str] = MappingProxyType({}), basis: Basis | None, source: str, obtained: date | None,
    tracking: bool | None, dry_run: bool, actor: str = "staff",
) -> ImportReport:
    """Import a CSV or XLSX file into a list.

    Args:
        store: the database.
        secret: the project's key, for the hash of each address.
        path: the file.
        list_name: made when there is none of that name.
        format: ``auto``, ``generic``, ``mailchimp`` or ``civicrm``.
        mapping: heading → field, for columns that are not recognised.
        basis: the lawful basis that staff state for email; None when they do not.
        source: where the details come from, in words; the file's name when empty.
        obtained: the day on which they were obtained.
        tracking: the choice on open and click tracking for rows without one of their own.
        dry_run: do everything and take it back.
        actor: who imports, for the audit log.

    Raises:
        TableError: the file cannot be read.
        ListError: its columns are not those of a list.
        Refused: the list's name or the basis cannot be.
        StoreError: the database cannot do it; nothing was changed.
    """
    refuse(list_name, basis, obtained)
    table = file.read(path, partial(formats.recognised, mapping=mapping))
    columns = formats.match(table.headings, format=format, mapping=mapping, where=path.name)
    reading = entries.read(table, columns, secret=secret)
    at = clock.now()
    report: ImportReport | None = None
    try:
        with store.writing() as connection:
            _wait_for_others(connection)
            list_id, created = _list(connection, list_name, at)
            import_id = _begin(connection, path, at)
            terms = Terms(list_id=list_id, basis=basis, source=source or f"import of {path.name}", obtained=obtained,
                          tracking=tracking, by_column=columns.at(formats.Target.CONSENT) is not None,
                          import_id=import_id)
            tally = enrol(connection, reading.entries, terms, at)
            report = ImportReport(
                rows=reading.rows, added=tally.added, updated=tally.updated, unchanged=tally.unchanged,
                rejected=reading.rejected, kept_out=dict(sorted(tally.kept_out.items())), merged=reading.merged,
                list_name=list_name, list_created=created, format=columns.format,
                columns=dict(zip(columns.headings, columns.goes_to, strict=True)), about=dict(table.about),
                warnings=(*table.notes, *_warnings(tally, terms, columns)), dry_run=dry_run)
            _finish(connection, import_id, report, terms, actor)
            if dry_run:
                raise _Rehearsed
    except _Rehearsed:
        pass
    assert report is not None
    return report


def refuse(list_name: str, basis: Basis | None, obtained: date | None) -> None:
    """See that the terms of an import can be.

    Raises:
        Refused: the list's name, the day or the basis cannot be.
    """
    if not _NAME.fullmatch(list_name):
        raise Refused(f"{list_name!r} cannot be a list's name.", where="--list",
                      todo="Use small letters, digits and hyphens, for example newsletter.")
    if obtained is not None and obtained > clock.today(ZONE):
        raise Refused(f"The details cannot have been obtained on {_day(obtained)}: that day is still to come.",
                      where="--obtained")
    if basis is Basis.SOFT_OPT_IN and (obtained is None or obtained < SOFT_OPT_IN_FROM):
        raise Refused("The charitable soft opt-in covers only details that the charity itself obtained on or after "
                      f"{_day(SOFT_OPT_IN_FROM)} (PECR reg. 22(3A)).", where="--basis soft-opt-in",
                      todo="Say the day with --obtained if it is later; older details need consent.")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _wait_for_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_IMPORT_LOCK)))


def _list(connection: Connection, name: str, at: datetime) -> tuple[int, bool]:
    found = lists.find(connection, name)
    return (lists.create(connection, name, at), True) if found is None else (found, False)


def _begin(connection: Connection, path: Path, at: datetime) -> int:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return int(connection.execute(insert(imports).values(
        kind="supporters", file_name=path.name, content_hash=digest, at=at, options={}, counts={},
    ).returning(imports.c.id)).scalar_one())


def _finish(connection: Connection, import_id: int, report: ImportReport, terms: Terms, actor: str) -> None:
    options = {"list": report.list_name, "format": report.format, "columns": report.columns,
               "basis": terms.basis and terms.basis.value, "source": terms.source, "tracking": terms.tracking,
               "obtained": terms.obtained and terms.obtained.isoformat()}
    counts = {"rows": report.rows, "added": report.added, "updated": report.updated, "unchanged": report.unchanged,
              "rejected": len(report.rejected), "kept_out": report.kept_out, "merged": report.merged}
    connection.execute(update(imports).where(imports.c.id == import_id).values(options=options, counts=counts))
    audit.record(connection, actor=actor, action="lists import", subject=report.list_name,
                 detail={"import": import_id, **counts})


def _warnings(tally: Tally, terms: Terms, columns: formats.Columns) -> list[str]:
    said = []
    if terms.basis in (None, Basis.NONE):
        said.append("No lawful basis was stated, so those who are new can receive nothing yet: import the file again "
                    "with --basis consent once you know that they agreed.")
    elif terms.by_column:
        heading = columns.headings[columns.at(formats.Target.CONSENT) or 0]
        said.append(f"The basis was recorded only for rows that say yes in the column {heading!r}.")
    if tally.too_early:
        said.append(f"{tally.too_early:,} were obtained before {_day(SOFT_OPT_IN_FROM)}, which the soft opt-in does "
                    "not cover: they can receive nothing yet.")
    if tally.lesser:
        said.append(f"{tally.lesser:,} answers are no where a yes is on record; an import leaves the record as it is. "
                    "If the no is the newer word: `pillarbox suppressions add EMAIL` for letters, "
                    "`pillarbox supporters add EMAIL --list NAME --tracking no` for tracking.")
    if tally.withdrawn:
        said.append(f"{tally.withdrawn:,} answers are yes where the supporter has withdrawn since; that stays.")
    return said
