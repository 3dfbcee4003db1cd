"""Tables to take away. Each taking is written to the audit log with the user's name, before the first byte leaves."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pillarbox.ground.errors import Refused
from pillarbox.reports import exports
from pillarbox.reports.exports import MOST_IN_A_WORKBOOK, OFFERS, Table
from pillarbox.reports.report import gather
from pillarbox.store import audit
from pillarbox.store.mailings import Mailing
from pillarbox.web.site import Site
from pillarbox.web.staff.forms import form
from pillarbox.web.staff.frame import site_of
from pillarbox.web.staff.guard import visitor
from pillarbox.web.staff.mailings import mailing_of

_KINDS = {"csv": "text/csv; charset=utf-8",
          "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


class ExportDoor:
    """``/staff/mailings/{name}/export``, and ``/named`` below it for what names people."""

    def __init__(self, *, named: bool) -> None:
        self._named = named

    async def give(self, request: Request) -> Response:
        """The table that was asked for, as a file."""
        fields, mailing, site = await form(request), await mailing_of(request), site_of(request)
        table, kind = fields.get("table", ""), fields.get("kind", "")
        if table not in list(Table) or kind not in _KINDS:
            raise HTTPException(400)
        wanted = Table(table)
        if kind == "xlsx" and wanted is Table.MESSAGES and mailing.planned > MOST_IN_A_WORKBOOK:
            raise Refused(f"A workbook of {mailing.planned:,} messages is more than spreadsheets like.",
                          todo="Take them as CSV.")
        named = self._named and OFFERS[wanted].of_people
        await run_in_threadpool(_note, site, visitor(request).user.name, mailing, wanted, kind, named=named)
        file = f"{mailing.name}-{wanted.value}{'-with-names' if named else ''}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{_plain(file)}"'}
        parts = _parts(site, mailing, wanted, kind, named=named)
        return StreamingResponse(parts, media_type=_KINDS[kind], headers=headers)


def _parts(site: Site, mailing: Mailing, table: Table, kind: str, *, named: bool) -> Iterator[bytes]:
    zone = site.settings.project.zone
    with site.store.snapshot() as connection:
        sheet = exports.sheet(connection, lambda: gather(connection, mailing.id, zone), mailing.id, zone, table,
                              named=named)
        if kind == "csv":
            yield from exports.csv_parts(sheet)
        else:
            yield exports.xlsx(sheet)


def _note(site: Site, actor: str, mailing: Mailing, table: Table, kind: str, *, named: bool) -> None:
    with site.store.writing() as connection:
        audit.record(connection, actor=actor, action="export", subject=mailing.name,
                     detail={"table": table.value, "as": kind, "with_names": named})


def _plain(name: str) -> str:
    """A file's name of letters, digits, dots and dashes alone, for every system and header."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-_") else "-" for letter in name)
