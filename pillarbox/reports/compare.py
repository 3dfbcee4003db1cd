"""Mailings beside each other: rates with their ranges, and honest words on what the ranges allow to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from sqlalchemy import Connection

from pillarbox.reports import words
from pillarbox.reports.figures import Figures, figures
from pillarbox.reports.rates import Rate
from pillarbox.store.mailings import Mailing

FEWEST, MOST = 2, 6
LETTERS_THAT_SAY_LITTLE = 30
MEASURES = (
    ("delivered", "Delivered", "of those handed over"),
    ("opened", "Opened by people", "of delivered letters whose supporters agreed to tracking"),
    ("clicked", "Clicked", "of delivered letters whose supporters agreed to tracking"),
    ("gave", "Gave", "of delivered letters"),
    ("pounds_per_letter", "Pounds per letter", "for each delivered letter"),
    ("unsubscribed", "Unsubscribed", "of delivered letters"),
    ("complained", "Complained of spam", "of delivered letters"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One of the mailings."""

    letter: str
    """A to F: what the words below call it."""
    mailing: Mailing
    figures: Figures


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One rate of all of them."""

    key: str
    name: str
    of: str
    rates: tuple[Rate | None, ...]
    """In the order of the mailings; None where there is nothing to tell."""
    verdict: str
    """What may be said of them, in a sentence or two."""

    def says(self, rate: Rate) -> tuple[str, str]:
        """A rate and its range, written out."""
        return words.each(rate) if self.key == "pounds_per_letter" else (words.percent(rate.value), words.spread(rate))


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two to six mailings."""

    columns: tuple[Column, ...]
    measures: tuple[Measure, ...]
    warnings: tuple[str, ...]
    """What to bear in mind: practice beside live, few letters, letters of different kinds."""


def compare(connection: Connection, mailings: Sequence[Mailing]) -> Comparison:
    """Put mailings beside each other, in the order given."""
    columns = tuple(Column(letter=letter, mailing=mailing, figures=figures(connection, mailing.id))
                    for letter, mailing in zip(ascii_uppercase, mailings, strict=False))
    return Comparison(columns=columns, measures=tuple(_measure(key, name, of, columns) for key, name, of in MEASURES),
                      warnings=tuple(_warnings(columns)))


def verdict(rates: Sequence[tuple[str, Rate]]) -> str:
    """What may be said of rates: which is higher for sure, and between which it is too close to tell."""
    if len(rates) < FEWEST:
        return "Nothing to compare: only one of them can tell." if rates else "None of them can tell."
    above: dict[tuple[str, ...], list[str]] = {}
    for name, rate in rates:
        if below := tuple(other for other, lower in rates if lower.high < rate.low):
            above.setdefault(below, []).append(name)
    close = [name for name, rate in rates if any(
        other != name and rate.low <= near.high and near.low <= rate.high for other, near in rates)]
    if not above:
        return f"Too close to tell: the ranges of {_and(close)} overlap."
    sure = " ".join(f"Higher for {_and(names)} than for {_and(below)}." for below, names in above.items())
    pairs = [_and((one, other)) for n, (one, rate) in enumerate(rates) for other, near in rates[n + 1:]
             if rate.low <= near.high and near.low <= rate.high]
    return f"{sure} Too close to tell between {'; '.join(pairs)}." if pairs else sure


def _measure(key: str, name: str, of: str, columns: Sequence[Column]) -> Measure:
    rates = tuple(column.figures.rates[key] for column in columns)
    known = [(column.letter, rate) for column, rate in zip(columns, rates, strict=True) if rate]
    return Measure(key=key, name=name, of=of, rates=rates, verdict=verdict(known))


def _warnings(columns: Sequence[Column]) -> list[str]:
    found = []
    practised = [column.letter for column in columns if column.mailing.practice]
    if practised and len(practised) < len(columns):
        found.append(f"{_and(practised)} {'was' if len(practised) == 1 else 'were'} practice: nobody was mailed, so "
                     "the comparison says nothing of people.")
    few = [column.letter for column in columns if 0 < column.figures.delivered < LETTERS_THAT_SAY_LITTLE]
    if few:
        found.append(f"Of {_and(few)} fewer than {LETTERS_THAT_SAY_LITTLE} letters were delivered: chance decides "
                     "nearly everything there.")
    if len({column.mailing.kind for column in columns}) > 1:
        found.append("They are of different kinds: an appeal asks for what a newsletter does not.")
    going = [column.letter for column in columns if column.mailing.state.is_open]
    if going:
        found.append(f"{_and(going)} {'is' if len(going) == 1 else 'are'} not sent whole yet; the figures still move.")
    return found


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
