"""What each variant of a mailing's letter did, and how sure one can be that one did better than another.

No winner is named: a difference is told with the range in which it lies, and where that holds 0, that it cannot be
told. Every letter counts for the variant that its supporter drew, whatever became of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

from sqlalchemy import Connection, Row, func, select

from pillarbox.content.variants import words as in_words
from pillarbox.model.states import MessageState, Outcome
from pillarbox.reports import words
from pillarbox.reports.compare import LETTERS_THAT_SAY_LITTLE, MEASURES, Measure
from pillarbox.reports.figures import Counted
from pillarbox.reports.raised import gifts_by_variant, givers
from pillarbox.reports.rates import Rate, difference, pounds_each, proportion
from pillarbox.store import tallies
from pillarbox.store.contributions import Facet, Mark
from pillarbox.store.schema import mailings, messages

_SURE = 0.05
"""One verdict in twenty may be due to chance, however many variants are compared in it."""
_POUNDS = "pounds_per_letter"


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One variant's letters. Counts are of messages, as in ``Figures``."""

    label: str
    says: str
    """Its subject, and what else is its own."""
    planned: int
    accepted: int
    remaining: int
    delivered: int
    tracked: int
    opened_human: int
    opened_machine: int
    clicked_human: int
    clicked_scanner: int
    unsubscribed: int
    complained: int
    gave: int
    gifts: int
    amount_pence: int
    donors: int
    squares: int
    """Sum over donors of the square of what each gave, in pence squared."""
    largest: int
    """What the most generous of them gave, in pence."""
    rates: Mapping[str, Rate | None]

    def rate(self, key: str, z: float) -> Rate | None:
        """One of the rates, with a range for another normal deviate."""
        rate = self.rates[key]
        if rate is None:
            return None
        if key == _POUNDS:
            return pounds_each(self.amount_pence, rate.of, squares=self.squares, largest=self.largest, z=z)
        return proportion(rate.part, rate.of, z=z)

    def to_json(self) -> dict[str, Any]:
        """The stable keys, as those of a mailing."""
        return {
            **{name: getattr(self, name) for name in ("planned", "accepted", "remaining", "delivered", "tracked")},
            "opened": {"human": self.opened_human, "machine": self.opened_machine},
            "clicked": {"human": self.clicked_human, "scanner": self.clicked_scanner},
            "unsubscribed": self.unsubscribed,
            "complained": self.complained,
            "donations": {"count": self.gifts, "amount_pence": self.amount_pence, "donors": self.donors},
            "rates": {name: rate.to_json() if rate else None for name, rate in self.rates.items()},
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """How much higher a rate is for one variant than for another."""

    measure: str
    one: str
    other: str
    value: float
    """``one`` less ``other``, in the rate's unit: a fraction, or pounds."""
    low: float
    """Ends of the range in which it lies, with 95% for all pairs of a measure together."""
    high: float

    @property
    def sure(self) -> bool:
        """Whether the range leaves out 0."""
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict[str, Any]:
        """For ``report --json``."""
        return {"measure": self.measure, "one": self.one, "other": self.other, "value": round(self.value, 6),
                "low": round(self.low, 6), "high": round(self.high, 6), "sure": self.sure}


@dataclass(frozen=True, kw_only=True, slots=True)
class Variants:
    """The variants of a mailing's letter, beside each other."""

    each: tuple[Variant, ...]
    measures: tuple[Measure, ...]
    """One rate of all of them each, in their order, with what may be said of it."""
    gaps: tuple[Gap, ...]
    unknown_gifts: int
    """Gifts of which nobody can tell which letter raised them: they carry the mailing's code, and no giver we know."""
    unknown_pence: int
    warnings: tuple[str, ...]
    """What to bear in mind."""

    def to_json(self) -> dict[str, Any]:
        """What ``report --json`` says more where there are variants."""
        return {"variants": {one.label: one.to_json() for one in self.each},
                "variant_differences": [gap.to_json() for gap in self.gaps],
                "variant_unknown": {"count": self.unknown_gifts, "amount_pence": self.unknown_pence}}

    @property
    def unknown(self) -> str:
        """The same in a sentence; empty when every gift's variant is known."""
        if not self.unknown_gifts:
            return ""
        some = "1 gift" if self.unknown_gifts == 1 else f"{self.unknown_gifts:,} gifts"
        return (f"{some} ({words.pounds(self.unknown_pence)}) came with this mailing’s code alone: nobody can tell "
                "which variant’s doing it was.")


def variants(connection: Connection, mailing_id: int) -> Variants | None:
    """Count what each variant of a mailing's letter did; None where everybody got the same letter."""
    row = connection.execute(select(mailings.c.variants, mailings.c.state).where(
        mailings.c.id == mailing_id)).one_or_none()
    if row is None or not row.variants:
        return None
    ledger: dict[str, list[Row[Any]]] = defaultdict(list)
    for found in connection.execute(_standing(mailing_id)):
        ledger[found.variant].append(found)
    heard: dict[str, list[tuple[Mark, int]]] = defaultdict(list)
    for key, n in tallies.of(connection, mailing_id, Facet.VARIANT)[Facet.VARIANT].items():
        label, _, marked = key.partition(" ")
        heard[label].append((Mark(int(marked)), n))
    gave = _gave(connection, mailing_id)
    gifts: dict[str, list[Row[Any]]] = defaultdict(list)
    for gift in connection.execute(gifts_by_variant(mailing_id)):
        gifts[gift.variant].append(gift)
    each = tuple(_variant(label, said, Counted(ledger=ledger[label], heard=heard[label]), gave.get(label, 0),
                          gifts[label]) for label, said in row.variants.items())
    measured = [_measure(each, *measure) for measure in MEASURES]
    return Variants(each=each, measures=tuple(measure for measure, _ in measured),
                    gaps=tuple(gap for _, gaps in measured for gap in gaps), unknown_gifts=len(gifts[""]),
                    unknown_pence=sum(gift.pence for gift in gifts[""]), warnings=tuple(_warnings(each)))


_SHOWN = ("opened", "clicked", "gave", _POUNDS)


def shown(found: Variants) -> tuple[Measure, ...]:
    """The measures that a report puts into words: what a letter is written for, and what may have gone wrong.

    Others are there when a difference is more than chance.
    """
    telling = {gap.measure for gap in found.gaps if gap.sure}
    return tuple(measure for measure in found.measures if measure.key in _SHOWN or measure.key in telling)


def cells(one: Variant) -> tuple[str, ...]:
    """A variant's line in a table, as ``HEAD`` heads it."""
    def rate(key: str) -> str:
        found = one.rates[key]
        return f"{words.percent(found.value)} ({words.spread(found)})" if found else "–"

    return (one.label, f"{one.planned:,}", f"{one.delivered:,}", rate("opened"), rate("clicked"), rate("gave"),
            words.pounds(one.amount_pence))


HEAD = ("Variant", "Letters", "Delivered", "Opened", "Clicked", "Gave", "Raised")


def _standing(mailing_id: int) -> Any:
    """As ``figures`` counts the ledger, by variant: counted along ``ix_messages_standing``, in its order."""
    columns = (messages.c.state, messages.c.tracked, messages.c.outcome, messages.c.variant)
    return select(*columns, func.count().label("n")).where(messages.c.mailing_id == mailing_id).group_by(*columns)


def _gave(connection: Connection, mailing_id: int) -> dict[str, int]:
    found = givers(mailing_id)
    query = select(messages.c.variant, func.count(func.distinct(found.c.id)).label("n")).join_from(
        found, messages, messages.c.id == found.c.id).group_by(messages.c.variant)
    return {row.variant: row.n for row in connection.execute(query)}


def _variant(label: str, said: Mapping[str, Any], counted: Counted, gave: int, gifts: Sequence[Row[Any]]) -> Variant:
    people: dict[str, int] = defaultdict(int)
    for gift in gifts:
        people[gift.person] += gift.pence
    pence = sum(gift.pence for gift in gifts)
    squares = sum(max(0, given) ** 2 for given in people.values())
    largest = max(0, *people.values()) if people else 0
    stand, did = counted.stand, counted.did
    return Variant(
        label=label, says=in_words(label, said), planned=counted.stand(),
        accepted=stand(state=MessageState.ACCEPTED),
        remaining=stand(state=MessageState.PLANNED) + stand(state=MessageState.SUBMITTING),
        delivered=stand(outcome=Outcome.DELIVERED), tracked=stand(state=MessageState.ACCEPTED, tracked=True),
        opened_human=did(Mark.OPENED_HUMAN | Mark.TRACKED),
        opened_machine=did(Mark.OPENED | Mark.TRACKED, without=Mark.OPENED_HUMAN),
        clicked_human=did(Mark.CLICKED_HUMAN | Mark.TRACKED),
        clicked_scanner=did(Mark.CLICKED | Mark.TRACKED, without=Mark.CLICKED_HUMAN),
        unsubscribed=did(Mark.UNSUBSCRIBED), complained=did(Mark.COMPLAINED), gave=gave, gifts=len(gifts),
        amount_pence=pence, donors=len(people), squares=squares, largest=largest,
        rates=counted.rates(gave=gave, pence=pence, squares=squares, largest=largest))


# ------------------------------------------------------------------------------------------------ comparing


def _measure(each: Sequence[Variant], key: str, name: str, of: str) -> tuple[Measure, list[Gap]]:
    gaps = list(_gaps(each, key))
    return Measure(key=key, name=name, of=of, rates=tuple(one.rates[key] for one in each),
                   verdict=verdict(key, gaps)), gaps


def _gaps(each: Sequence[Variant], key: str) -> Iterator[Gap]:
    known = [one for one in each if one.rates[key]]
    pairs = list(combinations(known, 2))
    if not pairs:
        return
    # Bonferroni: with as many chances to be wrong, each must be as much rarer.
    z = NormalDist().inv_cdf(1 - _SURE / len(pairs) / 2)
    for first, second in pairs:
        one, other = second.rate(key, z), first.rate(key, z)
        assert one is not None, "known"
        assert other is not None, "known"
        low, high = difference(one, other)
        yield Gap(measure=key, one=second.label, other=first.label, value=one.value - other.value, low=low, high=high)


def verdict(key: str, gaps: Sequence[Gap]) -> str:
    """What may be said of a rate's differences: which are more than chance, and how wide the rest may be."""
    if not gaps:
        return "Nothing to compare yet."
    said = [_sure(key, gap) for gap in gaps if gap.sure]
    open_ = [gap for gap in gaps if not gap.sure]
    if len(gaps) == 1 and open_:
        return _unsure(key, open_[0])
    if open_:
        pairs = ", ".join(f"{gap.other} and {gap.one}" for gap in open_)
        said.append(f"Too close to tell between {pairs}.")
    return " ".join(said)


def _sure(key: str, gap: Gap) -> str:
    if gap.value < 0:
        gap = Gap(measure=key, one=gap.other, other=gap.one, value=-gap.value, low=-gap.high, high=-gap.low)
    return (f"Higher for {gap.one} than for {gap.other} by {_amount(key, gap.value)} "
            f"({_amount(key, gap.low, bare=True)} to {_amount(key, gap.high, bare=True)}).")


def _unsure(key: str, gap: Gap) -> str:
    return (f"Too close to tell: {gap.one} may be anything from {_amount(key, -gap.low)} lower to "
            f"{_amount(key, gap.high)} higher than {gap.other}.")


def _amount(key: str, value: float, *, bare: bool = False) -> str:
    """A difference without its sign: ``£0.12`` or ``3.1 points``."""
    value = abs(value)
    if key == _POUNDS:
        return f"£{value:,.2f}"
    digits = 1 if value >= 0.001 else 2
    number = f"{value * 100:.{digits}f}"
    return number if bare else f"{number} points"


def _warnings(each: Sequence[Variant]) -> Iterator[str]:
    if any(one.remaining for one in each):
        yield "Not all letters have gone yet; the figures still move."
    few = [one.label for one in each if one.delivered < LETTERS_THAT_SAY_LITTLE]
    if few and any(one.delivered for one in each):
        yield (f"Of {', '.join(few)} fewer than {LETTERS_THAT_SAY_LITTLE} letters were delivered: chance decides "
               "nearly everything there.")
    yield ("Several rates are compared, and one difference in twenty comes about by chance: decide before you send "
           "which of them shall count.")
