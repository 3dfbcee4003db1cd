"""The report on a terminal: money first, in eighty columns or more; plain text where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pillarbox.model.states import MessageState
from pillarbox.reports import bars, page, variants, words
from pillarbox.reports.across import Line
from pillarbox.reports.report import Report

# The terminal's own red and dim: both follow its light or dark theme.
_ACCENT, _QUIET, _STRONG = "red", "dim", "bold"
_LONGEST_BAR = 32
_MARKS, _ASCII_MARKS = ("━", "─", "╌"), ("#", "-", ".")
"""Did, did not, unknown."""
_WIDEST = 100
_PLAIN_WIDTH = 100


def console(file: IO[str] | None = None) -> Console:
    """A console for reports; no colour and a fixed width when the output is not a terminal."""
    made = Console(file=file, highlight=False, soft_wrap=False, emoji=False, markup=False)
    if not made.is_terminal:
        return Console(file=file, highlight=False, emoji=False, markup=False, no_color=True, width=_PLAIN_WIDTH)
    return made if made.width <= _WIDEST else Console(file=file, highlight=False, emoji=False, markup=False,
                                                      width=_WIDEST)


def show(report: Report, out: Console) -> None:
    """Print the whole report."""
    out.print(Group(*_parts(report, out)))


def show_all(lines: Sequence[Line], out: Console) -> None:
    """Print a line for each mailing."""
    if not lines:
        out.print("No mailing has been planned yet.")
        return
    table = _table(("Mailing", ""), ("State", ""), ("Delivered", "right"), ("Opened", "right"),
                   ("Gifts", "right"), ("Raised", "right"), gap=2)
    table.columns[0].overflow = "fold"
    for line in lines:
        name = Text(line.name, style=_STRONG)
        if line.practice:
            name.append("\nPRACTICE", style="reverse")
        table.add_row(name, words.MAILING_STATE[line.state], f"{line.delivered:,}",
                      words.percent(line.opened.value) if line.opened else "–", f"{line.donations:,}",
                      Text(words.pounds(line.amount_pence), style=_ACCENT))
    out.print(table)
    out.print(Text("Opened: by people, of delivered letters whose supporters agreed to tracking.", style=_QUIET))


def _parts(report: Report, out: Console) -> Iterable[RenderableType]:
    if report.figures.practice:
        yield Text(f"  {words.PRACTICE}  ", style="bold black on yellow")
        yield Text()
    yield Text(report.mailing.title, style=_STRONG)
    name, *facts = page.facts(report)
    yield Text(name, style=_QUIET)
    yield Text(" · ".join(facts), style=_QUIET)
    yield Text()
    yield from _money(report)
    yield Text()
    yield _cards(report)
    yield Text(page.heard(report), style=_QUIET)
    if items := page.attention(report):
        yield from _head("Needs a hand")
        for item in items:
            line = Text()
            line.append("• ", style=_ACCENT)
            line.append(item.what, style=_STRONG)
            line.append(f" {item.todo}")
            yield Padding(line, (0, 0, 0, 2))
    if report.figures.planned:
        yield from _head("From sent to gave")
        yield _bars(bars.funnel_bars(report), report.figures.planned, out)
    if report.variants:
        yield from _variants(report.variants)
    if report.figures.donations.count:
        yield from _head("How we know that the gifts are this mailing’s")
        kinds = bars.evidence_bars(report)
        yield _bars(kinds, max(bar.part for bar in kinds), out)
    yield from _lists(report)
    yield Text()
    yield Text("The words are defined in the HTML report. Ranges: 19 times in 20 the rate would lie within.",
               style=_QUIET)


def _money(report: Report) -> Iterable[RenderableType]:
    money, rate = report.figures.donations, report.figures.rates["pounds_per_letter"]
    line = Text()
    line.append(words.pounds(money.amount_pence), style=f"{_STRONG} {_ACCENT}")
    line.append(" raised", style=_STRONG)
    if money.count:
        people = "person" if money.donors == 1 else "people"
        line.append(f" by {money.donors:,} {people} in {money.count:,} gift{'' if money.count == 1 else 's'}")
        if money.pledges:
            line.append(f", {money.pledges:,} of them regular")
    yield line
    rest = []
    if money.gift_aid_pence:
        rest.append(f"{words.pounds(money.gift_aid_pence)} more to claim as Gift Aid")
    if rate and rate.part:
        each, spread = words.each(rate)
        rest.append(f"{each} for each letter delivered ({spread})")
    rest += [f"{amount} besides, not converted" for amount in page.others(report)]
    rest += report.pledged.sentences()
    for text in rest:
        yield Text(text)


def _cards(report: Report) -> RenderableType:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_column()
    for card in page.cards(report):
        table.add_row(card.name, Text(card.value, style=_STRONG), Text(card.range, style=_QUIET), card.of)
    machines = report.figures.opened_machine
    if machines:
        table.add_row(Text("Opened by machines only", style=_QUIET), Text(f"{machines:,}", style=_QUIET), "",
                      Text("apart, never counted as read", style=_QUIET))
    return table


def _bars(shown: Sequence[bars.Bar], top: float, out: Console) -> RenderableType:
    marks = _MARKS if out.encoding.lower().startswith("utf") else _ASCII_MARKS
    words_wide = max(len(bar.label) for bar in shown) + max(len(bar.says) for bar in shown)
    size = max(8, min(_LONGEST_BAR, out.width - words_wide - 4))
    table = Table.grid(padding=(0, 2, 0, 0))
    for bar in shown:
        table.add_row(bar.label, _bar(bar, size / (top or 1), size, marks), bar.says)
    return table


def _bar(bar: bars.Bar, scale: float, size: int, marks: tuple[str, str, str]) -> Text:
    part = round(bar.part * scale) or (1 if bar.part else 0)
    whole = max(part, round(bar.whole * scale))
    unknown = min(size - whole, round(bar.unknown * scale))
    did, did_not, nobody_knows = marks
    made = Text(no_wrap=True)
    made.append(did * part, style=_ACCENT)
    made.append(did_not * (whole - part), style=_QUIET)
    made.append(nobody_knows * unknown, style=_QUIET)
    made.append(" " * (size - whole - unknown))
    return made


def _variants(found: variants.Variants) -> Iterable[RenderableType]:
    yield from _head("Variants of the letter, given out by lot")
    table = _table(*((title, "right" if n else "") for n, title in enumerate(variants.HEAD)), gap=2)
    for one in found.each:
        table.add_row(*variants.cells(one))
    yield table
    for one in found.each:
        yield _item(one.label, one.says, _QUIET)
    yield Text()
    for measure in variants.shown(found):
        yield _item(measure.name, measure.verdict)
    for sentence in (found.unknown, *found.warnings):
        if sentence:
            yield Text(sentence, style=_QUIET)


def _item(name: str, says: str, style: str = "") -> RenderableType:
    line = Text()
    line.append(f"{name}: ", style=_STRONG)
    line.append(says, style=style)
    return Padding(line, (0, 0, 0, 2))


def _lists(report: Report) -> Iterable[RenderableType]:
    if report.links:
        yield from _head("Links that were followed")
        table = _table(("Link", ""), ("By people", "right"), ("By scanners only", "right"))
        for link in report.links[:12]:
            table.add_row(Text(link.link, overflow="ellipsis", no_wrap=True), f"{link.human:,}", f"{link.scanner:,}")
        yield table
    if report.returned.total:
        yield from _head("What came back, and why")
        table = _table(("", ""), ("Reason", ""), ("Letters", "right"))
        for outcome, reason, n in report.returned.by_reason:
            table.add_row(words.OUTCOME[outcome], reason, f"{n:,}")
        yield table
    since = [(row.detail or "No reason kept", row.count) for row in report.standing
             if row.state is MessageState.WITHDRAWN]
    for title, rows in (("Left out when planning", report.left_out), ("Left out since planning", since)):
        if rows:
            yield from _head(title)
            table = _table(("Reason", ""), ("Supporters", "right"))
            for reason, n in rows:
                table.add_row(reason, f"{n:,}")
            yield table


def _head(title: str) -> Iterable[RenderableType]:
    yield Text()
    yield Text(title, style=_STRONG)


def _table(*columns: tuple[str, str], gap: int = 3) -> Table:
    table = Table(box=None, pad_edge=False, header_style=_QUIET, padding=(0, gap, 0, 0))
    for title, justify in columns:
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=justify == "right")
    return table
