"""From all that was told of one payment or pledge to what it is: pure, and the same in whatever order it was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pillarbox.ground.money import Money
from pillarbox.money.told import About, Standing, Told, Word

_KINDS_OF_ID = ("in_", "pi_", "ch_", "py_", "cs_")
"""Stripe's names for one payment, the one that it goes by first."""
_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}
"""How often in a year. Fifty-two weeks, as standing orders are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """Money that came."""

    id: str
    """What the payment goes by."""
    ids: tuple[str, ...]
    """Every name of it."""
    amount: Money
    """What came, before anything went back."""
    received: datetime
    pledge: str
    code: str
    name: str
    address: str
    method: str
    gift_aid: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """Money that went back, or was to."""

    id: str
    kind: str
    """``refund``, ``dispute`` or ``failed``."""
    amount: Money
    stands: bool
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Pledged:
    """A gift that comes again."""

    id: str
    state: Standing
    amount: Money
    unit: str
    every: int
    started: datetime
    ended: datetime | None
    failed: datetime | None
    code: str
    name: str
    address: str

    @property
    def yearly_minor(self) -> int:
        """What it comes to in a year, in minor units, rounded down."""
        return self.amount.minor * _YEAR[self.unit] // self.every


def paid(known: Sequence[Told], pledge: Sequence[Told] = ()) -> Paid | None:
    """The payment that these events tell of; None while nothing says that money came, or how much.

    Args:
        known: every event that names the payment.
        pledge: every event about the pledge that it belongs to.
    """
    payments = _best_first(each for each in known if each.about is About.PAYMENT)
    came = [each for each in payments if each.facts.get("word") == Word.PAID]
    sums = [each for each in payments if each.facts.get("amount") and each.facts.get("currency")]
    sums.sort(key=lambda each: each.facts.get("word") != Word.PAID)  # what came, before what was tried for
    if not came or not sums or not any(each.facts.get("counts") for each in payments):
        return None
    also = [*payments, *_best_first(each for each in pledge if each.about is About.PLEDGE)]
    ids = tuple(sorted({key for each in known for key in each.keys}, key=_by_kind))
    return Paid(
        id=ids[0], ids=ids, amount=Money(minor=sums[0].facts["amount"], currency=sums[0].facts["currency"]),
        received=min(each.at for each in came), pledge=_first(each.pledge for each in payments),
        code=_first(each.facts.get("code", "") for each in also), name=_first(each.name for each in also),
        address=_first(each.address for each in also), gift_aid=any(each.facts.get("gift_aid") for each in also),
        method=_first(each.facts.get("method", "") for each in payments) or "card")


def backs(known: Sequence[Told], came: Paid | None) -> list[Back]:
    """What went back of a payment, by what its events tell; an amount that nobody told is the whole.

    Args:
        known: every event that names the payment.
        came: the payment, when it is known by now.
    """
    found = []
    whole = came.amount if came else None
    for resource in sorted({each.resource for each in known if each.about in (About.REFUND, About.DISPUTE)}):
        of = [each for each in known if each.resource == resource and each.about in (About.REFUND, About.DISPUTE)]
        last = max(of, key=lambda each: (each.facts.get("order", 0) >= 2, each.at, each.facts.get("order", 0),
                                         each.event_id))
        amount = _sum_of(of) or (whole if last.about is About.DISPUTE else None)
        if amount:
            found.append(Back(id=resource, kind=last.about.value, amount=amount, stands=bool(last.facts.get("stands")),
                              at=min(each.at for each in of)))
    if whole and (unnamed := _unnamed(known, found, whole)):
        found.append(unnamed)
    if came and whole and (failed := _failed_after_all(known, came, whole)):
        found.append(failed)
    return found


def _unnamed(known: Sequence[Told], named: Sequence[Back], whole: Money) -> Back | None:
    """What a charge says was given back beyond the refunds that we were told of one by one."""
    said = [each for each in known if each.facts.get("refunded") is not None and each.facts.get("charge")]
    if not any(each.facts["refunded"] for each in said):
        return None
    last = max(said, key=lambda each: (each.facts.get("asked_at", ""), each.at, each.facts["refunded"], each.event_id))
    rest = last.facts["refunded"] - sum(back.amount.minor for back in named if back.kind == About.REFUND)
    return Back(id=f"{last.facts['charge']}:unnamed", kind=About.REFUND.value, stands=rest > 0,
                at=min(each.at for each in said if each.facts["refunded"]),
                amount=Money(minor=max(rest, 0), currency=whole.currency))


def _failed_after_all(known: Sequence[Told], came: Paid, whole: Money) -> Back | None:
    """A payment that came and then was reported as failed; a later success takes that back."""
    words = [each for each in known if each.about is About.PAYMENT and each.facts.get("word") in (
        Word.PAID, Word.UNDONE)]
    undone = [each for each in words if each.facts["word"] == Word.UNDONE]
    if not undone:
        return None
    last = max(words, key=lambda each: (each.at, each.facts["word"] == Word.PAID))
    return Back(id=f"{came.id}:failed", kind="failed", amount=whole, stands=last.facts["word"] == Word.UNDONE,
                at=max(each.at for each in undone))


def given_back(amount: Money, found: Iterable[Back]) -> int:
    """How much of a donation went back, in minor units: never more than came, and pounds from pounds alone."""
    return min(amount.minor, sum(each.amount.minor for each in found
                                 if each.stands and each.amount.currency == amount.currency))


def pledged(known: Sequence[Told]) -> Pledged | None:
    """The pledge that these events tell of, its payments' among them; None while amount or rhythm is unknown."""
    own = [each for each in known if each.about is About.PLEDGE]
    rhythm = [each for each in own if each.facts.get("unit") and each.facts.get("currency")]
    if not rhythm:
        return None
    sums = max(rhythm, key=_how_new).facts
    states = [each for each in own if _state(each)]
    ended = any(_state(each) is Standing.ENDED for each in states)
    last = max(states, key=lambda each: (*_how_new(each), list(Standing).index(_state(each) or Standing.WAITING)),
               default=None)
    also = [*_best_first(own), *_best_first(each for each in known if each.about is About.PAYMENT)]
    payments = [each for each in known if each.about is About.PAYMENT]
    came = max((each.at for each in payments if each.facts.get("word") == Word.PAID), default=None)
    failed = max((each.at for each in payments if each.facts.get("word") in (Word.FAILED, Word.UNDONE)), default=None)
    return Pledged(
        id=own[0].resource, amount=Money(minor=sums.get("amount", 0), currency=sums["currency"]), unit=sums["unit"],
        every=sums["every"],
        state=Standing.ENDED if ended else (_state(last) or Standing.WAITING) if last else Standing.WAITING,
        started=min((datetime.fromisoformat(each.facts["started"]) for each in own if each.facts.get("started")),
                    default=min(each.at for each in own)),
        ended=min((datetime.fromisoformat(each.facts["ended"]) for each in own if each.facts.get("ended")),
                  default=min(each.at for each in states if _state(each) is Standing.ENDED)) if ended else None,
        failed=failed if failed and (came is None or came < failed) else None,
        code=_first(each.facts.get("code", "") for each in also), name=_first(each.name for each in also),
        address=_first(each.address for each in also))


def _state(each: Told) -> Standing | None:
    """What an event says of a pledge; what was asked of the provider afterwards knows better, an end best of all."""
    said = [Standing(found) for name in ("state", "status") if (found := each.facts.get(name))]
    return Standing.ENDED if Standing.ENDED in said else said[-1] if said else None


def _how_new(each: Told) -> tuple[Any, ...]:
    return each.facts.get("seen") or "", each.at, each.facts.get("rank", 0), each.event_id


def _best_first(known: Iterable[Told]) -> list[Told]:
    return sorted(known, key=lambda each: (-each.facts.get("rank", 0), each.at, each.event_id))


def _first(found: Iterable[str]) -> str:
    return next((each for each in found if each), "")


def _sum_of(of: Sequence[Told]) -> Money | None:
    said = [each for each in of if each.facts.get("amount") is not None and each.facts.get("currency")]
    if not said:
        return None
    last = max(said, key=lambda each: (each.at, each.event_id))
    return Money(minor=last.facts["amount"], currency=last.facts["currency"])


def _by_kind(key: str) -> tuple[int, str]:
    known = (number for number, start in enumerate(_KINDS_OF_ID) if key.startswith(start))
    return next(known, len(_KINDS_OF_ID)), key
