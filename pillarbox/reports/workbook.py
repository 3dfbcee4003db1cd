"""The report as a workbook (XLSX): the same figures to sort and share, and every message for staff who may see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import IO, Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from sqlalchemy import Connection, func, select

from pillarbox.ground.money import Money
from pillarbox.model.states import Attribution, MessageState, Outcome
from pillarbox.reports import page, words
from pillarbox.reports.report import Report
from pillarbox.reports.timeline import Series
from pillarbox.reports.variants import Variants
from pillarbox.store.contributions import Mark
from pillarbox.store.donations import STANDS
from pillarbox.store.schema import donations, mailings, messages, responses

# A cell that begins so is run as a formula by some spreadsheet programs
# (https://owasp.org/www-community/attacks/CSV_Injection); a leading apostrophe makes it text.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOST_ROWS = 1_048_576 - 1
"""Rows of one sheet below its head (Excel's limit)."""
_POUNDS, _PERCENT, _MOMENT = "£#,##0.00", "0.0%", "d mmm yyyy hh:mm"
_LONGEST = 32_767


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """One table of a report."""

    title: str
    head: tuple[str, ...]
    widths: tuple[int, ...]
    """Of its columns, in letters."""
    rows: Iterable[Sequence[Any]]
    """Read once; from the database, while it is written."""


def workbook(report: Report, connection: Connection, mailing_id: int, *, with_addresses: bool = False) -> bytes:
    """The XLSX file's bytes.

    Args:
        with_addresses: put supporters' addresses in the sheets Messages and Donations; without it nobody is named.
    """
    target = BytesIO()
    write((summary(report), *([of_variants(report.variants)] if report.variants else []), over_time(report),
           links(report),
           gifts(connection, mailing_id, report.zone, with_addresses=with_addresses),
           letters(connection, mailing_id, report.zone, with_addresses=with_addresses), definitions()), target)
    return target.getvalue()


def write(sheets: Iterable[Sheet], target: IO[bytes]) -> None:
    """Write sheets as one XLSX file."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        _sheet(book, sheet.title, sheet.head, sheet.widths, sheet.rows)
    book.save(target)


def summary(report: Report) -> Sheet:
    """The figures, with their ranges."""
    return Sheet(title="Summary", head=("Figure", "Value", "Of", "Low", "High", "Note"),
                 widths=(34, 18, 12, 12, 12, 60), rows=_summary(report))


def of_variants(found: Variants | None) -> Sheet:
    """What each variant of the letter did: a line for each of its figures, with the range of a rate."""
    def rows() -> Iterable[Sequence[Any]]:
        if found is None:
            return
        for one in found.each:
            yield (one.label, "Subject", one.says)
            for name, number in (("Letters", one.planned), ("Handed over", one.accepted), ("Delivered", one.delivered),
                                 ("Agreed to tracking", one.tracked), ("Opened by people", one.opened_human),
                                 ("Clicked by people", one.clicked_human), ("Unsubscribed", one.unsubscribed),
                                 ("Complained of spam", one.complained), ("Gifts", one.gifts),
                                 ("People who gave", one.donors), ("Raised", Pounds(one.amount_pence))):
                yield (one.label, name, number)
            for measure in found.measures:
                if rate := one.rates[measure.key]:
                    of_pounds = measure.key == "pounds_per_letter"
                    value, low, high = (round(each, 4) if of_pounds else Share(each)
                                        for each in (rate.value, rate.low, rate.high))
                    yield (one.label, measure.name if of_pounds else f"{measure.name}, rate", value, rate.of, low, high,
                           measure.verdict)
        if found.unknown:
            yield ("", "Variant not known", Pounds(found.unknown_pence), found.unknown_gifts, "", "", found.unknown)

    return Sheet(title="Variants", head=("Variant", "Figure", "Value", "Of", "Low", "High", "Note"),
                 widths=(10, 28, 22, 12, 12, 12, 70), rows=rows())


def over_time(report: Report) -> Sheet:
    """What happened when."""
    zone = ZoneInfo(report.zone)
    return Sheet(
        title="Over time", head=(report.timeline.step.value.capitalize(), "Delivered", "Opened by people",
                                 "Opened by machines only", "Clicked", "Gifts", "Pounds"),
        widths=(20, 12, 18, 24, 12, 12, 14),
        rows=((_local(b.start, zone), *(b.counts[series] for series in (
            Series.DELIVERED, Series.OPENED_HUMAN, Series.OPENED_MACHINE, Series.CLICKED, Series.DONATIONS)),
               Pounds(b.amount_pence)) for b in report.timeline.buckets))


def links(report: Report) -> Sheet:
    """The links that were followed."""
    return Sheet(title="Links", head=("Link", "Letters, by people", "Letters, by scanners only"), widths=(70, 18, 24),
                 rows=((link.link, link.human, link.scanner) for link in report.links))


def gifts(connection: Connection, mailing_id: int, zone: str, *, with_addresses: bool) -> Sheet:
    """The donations."""
    return Sheet(
        title="Donations",
        head=("Received", "Amount", "Currency", "Method", "Source", "Gift Aid", "Regular", "Evidence",
              *(("Name", "Address") if with_addresses else ())),
        widths=(20, 14, 10, 14, 12, 10, 10, 34, 26, 34),
        rows=_donation_rows(connection, mailing_id, ZoneInfo(zone), with_addresses))


def letters(connection: Connection, mailing_id: int, zone: str, *, with_addresses: bool) -> Sheet:
    """Every message."""
    varied = bool(connection.execute(select(mailings.c.variants).where(mailings.c.id == mailing_id)).scalar_one())
    return Sheet(
        title="Messages", head=("Message", *(("Name", "Address") if with_addresses else ()), "State", "What was heard",
                                "Agreed to tracking", "Opened", "Clicked", "Handed over", "Remark",
                                *(("Variant",) if varied else ())),
        widths=(12, *((26, 34) if with_addresses else ()), 24, 34, 20, 18, 18, 20, 40, *((10,) if varied else ())),
        rows=_message_rows(connection, mailing_id, ZoneInfo(zone), with_addresses, varied))


def definitions() -> Sheet:
    """What the words mean."""
    return Sheet(title="Definitions", head=("Word", "What it means"), widths=(30, 120), rows=words.DEFINITIONS)


class Pounds(int):
    """Pence that the sheet shows as pounds."""


class Share(float):
    """A fraction that the sheet shows as per cent."""


def safe(value: str) -> str:
    """Text that no spreadsheet program runs as a formula, and that XLSX can hold."""
    text = ILLEGAL_CHARACTERS_RE.sub("", value)[:_LONGEST - 1]
    return f"'{text}" if text.lstrip(" \u00a0\u200b\ufeff").startswith(_FORMULA_STARTS) or text.startswith(
        _FORMULA_STARTS) else text


def _summary(report: Report) -> Iterable[Sequence[Any]]:
    found, money, mailing = report.figures, report.figures.donations, report.mailing
    if found.practice:
        yield (words.PRACTICE,)
    yield ("Mailing", mailing.name)
    yield ("Letter", mailing.title)
    until = found.heard_until
    yield ("Events heard until", _local(until, ZoneInfo(report.zone)) if until else "nothing heard")
    yield ("Raised", Pounds(money.amount_pence))
    yield ("Gift Aid to claim", Pounds(money.gift_aid_pence))
    for currency, minor in money.other_currencies.items():
        yield (f"Raised in {currency}", str(Money(minor=minor, currency=currency)))
    yield ("Gifts", money.count)
    yield ("People who gave", money.donors)
    yield ("Regular gifts", money.pledges)
    yield ("Regular gifts pledged", report.pledged.pledges)
    yield ("Worth of these in a year", Pounds(report.pledged.yearly_pence))
    yield ("Given back, not in the sums", Pounds(report.pledged.given_back_pence))
    yield from (
        ("Planned", found.planned), (words.handed(mailing.transport), found.accepted), ("Refused", found.failed),
        ("Not sure it went", found.in_doubt), ("Left out since planning", found.withdrawn),
        ("Cancelled", found.cancelled), ("Still to go", found.remaining), ("Delivered", found.delivered),
        ("Put off, still trying", found.deferred), ("Nothing heard yet", found.silent), ("Bounced", found.bounced),
        ("Turned away", found.blocked), ("Not tried", found.dropped),
        ("Agreed to tracking", found.tracked), ("Opened by people", found.opened_human),
        ("Opened by machines only", found.opened_machine), ("Clicked by people", found.clicked_human),
        ("Clicked by scanners only", found.clicked_scanner), ("Unsubscribed", found.unsubscribed),
        ("Complained of spam", found.complained),
    )
    for card, key in zip(page.cards(report), ("delivered", "opened", "clicked", "gave", "unsubscribed", "complained"),
                         strict=True):
        rate = found.rates[key]
        yield (f"{card.name}, rate", Share(rate.value), rate.of, Share(rate.low), Share(rate.high),
               card.of) if rate else (f"{card.name}, rate", "", "", "", "", card.of)
    if each := found.rates["pounds_per_letter"]:
        yield ("Pounds per letter delivered", round(each.value, 4), each.of, round(each.low, 4), round(each.high, 4))


def _donation_rows(connection: Connection, mailing_id: int, zone: ZoneInfo, named: bool) -> Iterable[Sequence[Any]]:
    rows = connection.execution_options(yield_per=5_000).execute(select(donations).where(
        donations.c.mailing_id == mailing_id, STANDS).order_by(donations.c.received_at, donations.c.id))
    for row in rows:
        stayed = row.amount_minor - row.refunded_minor
        amount = Pounds(stayed) if row.currency == "GBP" else str(Money(minor=stayed, currency=row.currency))
        yield (_local(row.received_at, zone), amount, row.currency, row.method, row.source, _yes(row.gift_aid),
               _yes(row.regular), words.EVIDENCE[Attribution(row.attribution)][0],
               *((row.name, row.address or "") if named else ()))


def _message_rows(connection: Connection, mailing_id: int, zone: ZoneInfo, named: bool,
                  varied: bool) -> Iterable[Sequence[Any]]:
    flags = responses.c.flags
    rows = connection.execution_options(yield_per=5_000).execute(select(
        messages.c.id, messages.c.to_name, messages.c.address, messages.c.state, messages.c.outcome,
        messages.c.tracked, func.coalesce(flags, 0).label("flags"), messages.c.accepted_at, messages.c.detail,
        messages.c.variant,
    ).outerjoin(responses, responses.c.message_id == messages.c.id).where(
        messages.c.mailing_id == mailing_id).order_by(messages.c.id))
    for row in rows:
        yield (row.id, *((row.to_name, row.address) if named else ()), words.STATE[MessageState(row.state)],
               words.OUTCOME[Outcome(row.outcome)], _yes(row.tracked),
               _who(row.tracked, row.flags & Mark.OPENED_HUMAN, row.flags & Mark.OPENED),
               _who(row.tracked, row.flags & Mark.CLICKED_HUMAN, row.flags & Mark.CLICKED),
               _local(row.accepted_at, zone) if row.accepted_at else "", words.without_addresses(row.detail),
               *((row.variant,) if varied else ()))


def _who(tracked: bool, person: int, anybody: int) -> str:
    if not tracked:
        return "not known"
    return "by a person" if person else "by machines only" if anybody else "no"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    # A spreadsheet knows no zones: the project's own, as on the page.
    return at.astimezone(zone).replace(tzinfo=None)


def _sheet(book: Workbook, title: str, head: Sequence[str], widths: Sequence[int],
           rows: Iterable[Sequence[Any]]) -> None:
    sheet: Any = book.create_sheet(title)  # its columns have no types
    sheet.freeze_panes = "A2"
    for number, width in enumerate(widths):
        sheet.column_dimensions[chr(ord("A") + number)].width = width
    first = []
    for name in head:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        first.append(cell)
    sheet.append(first)
    for count, row in enumerate(rows):
        if count == MOST_ROWS:
            break
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, str):
        return safe(value)
    look = {Pounds: _POUNDS, Share: _PERCENT, datetime: _MOMENT}.get(type(value))
    if look is None:
        return value
    cell = WriteOnlyCell(sheet, value=value / 100 if isinstance(value, Pounds) else value)
    cell.number_format = look
    return cell
