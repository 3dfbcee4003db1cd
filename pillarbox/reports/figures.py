"""What a mailing did, in numbers: messages are counted, not events; what machines did stands apart."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Subquery, distinct, func, literal, select, true, union_all

from pillarbox.ground.errors import Refused
from pillarbox.model.states import MessageState, Outcome
from pillarbox.reports import raised
from pillarbox.reports.raised import DonationFigures
from pillarbox.reports.rates import Rate, pounds_each, proportion
from pillarbox.store import tallies
from pillarbox.store.contributions import Facet, Mark
from pillarbox.store.schema import mailings, marks, messages

HEARD_MARK = "events-heard:{provider}"
"""The mark that the events room moves: the time of the newest event that a provider has reported, of any mailing."""

@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The numbers of one mailing. Counts are of messages, one a supporter; a message is counted once in each."""

    mailing: str
    practice: bool
    heard_until: datetime | None
    """The newest that the mailing's provider told of any mailing; None when it told nothing since the launch."""
    planned: int
    """Every message of the mailing = accepted + failed + in_doubt + cancelled + withdrawn + remaining."""
    accepted: int
    failed: int
    in_doubt: int
    cancelled: int
    withdrawn: int
    remaining: int
    delivered: int
    deferred: int
    silent: int
    """Accepted, and nothing heard of since."""
    bounced: int
    blocked: int
    dropped: int
    tracked: int
    """Accepted messages to supporters who agreed to open and click tracking."""
    tracked_delivered: int
    opened_human: int
    """Tracked messages with an open by a person, as far as can be told."""
    opened_machine: int
    """Tracked messages that only machines opened."""
    clicked_human: int
    clicked_scanner: int
    """Tracked messages in which only link scanners clicked."""
    untracked_opened: int
    """Messages opened or clicked whose supporters did not agree to tracking: 0, or a setting is wrong."""
    unsubscribed: int
    complained: int
    gave: int
    """Delivered messages whose supporter gave a donation tied to this mailing."""
    donations: DonationFigures
    rates: Mapping[str, Rate | None]
    """delivered, opened, clicked, unsubscribed, complained, gave, pounds_per_letter."""

    def to_json(self) -> dict[str, Any]:
        """The stable keys of ``report --json``."""
        return {
            "mailing": self.mailing,
            "practice": self.practice,
            "heard_until": self.heard_until.isoformat() if self.heard_until else None,
            **{name: getattr(self, name) for name in _PLAIN},
            "opened": {"human": self.opened_human, "machine": self.opened_machine},
            "clicked": {"human": self.clicked_human, "scanner": self.clicked_scanner},
            "unsubscribed": self.unsubscribed,
            "complained": self.complained,
            "donations": {
                "count": self.donations.count,
                "amount_pence": self.donations.amount_pence,
                "gift_aid_pence": self.donations.gift_aid_pence,
                "donors": self.donations.donors,
                "pledges": self.donations.pledges,
                "other_currencies": dict(self.donations.other_currencies),
            },
            "rates": {name: rate.to_json() if rate else None for name, rate in self.rates.items()},
        }


_PLAIN = ("planned", "accepted", "delivered", "bounced", "blocked", "dropped", "tracked")


Keep = Callable[[Hashable, Callable[[], Any]], Any]
"""Given what an answer hangs on and the question: answers it, perhaps from memory."""


def ask(_of: Hashable, question: Callable[[], Any]) -> Any:
    """The ``Keep`` that remembers nothing."""
    return question()


def figures(connection: Connection, mailing_id: int, *, keep: Keep = ask) -> Figures:
    """Count what one mailing did.

    Args:
        connection: to the database.
        mailing_id: of the mailing.
        keep: may remember how many messages it has: that never changes once it is planned.

    Raises:
        Refused: when there is no such mailing.
    """
    mailing = connection.execute(select(
        mailings.c.name, mailings.c.practice, mailings.c.transport, mailings.c.started_at, mailings.c.planned_at).where(
        mailings.c.id == mailing_id)).one_or_none()
    if mailing is None:
        raise Refused(f"There is no mailing with the number {mailing_id}.", todo="`pillarbox report` lists them all.")
    everybody = keep(("messages", mailing_id, mailing.name, mailing.planned_at),
                     lambda: {bool(tracked): int(n) for tracked, n in connection.execute(_everybody(mailing_id))})
    ledger = _ledger(connection, mailing_id, everybody)
    heard = [(Mark(int(key)), n) for key, n in tallies.of(connection, mailing_id, Facet.RESPONSES)[
        Facet.RESPONSES].items()]
    given = connection.execute(raised.gifts(mailing_id)).all()
    donors, squares, largest = connection.execute(raised.donors(mailing_id)).one()
    gave = connection.execute(select(func.count(distinct(raised.givers(mailing_id).c.id)))).scalar_one()
    counted = Counted(ledger=ledger, heard=heard)
    stand, did = counted.stand, counted.did
    accepted = MessageState.ACCEPTED
    delivered = stand(outcome=Outcome.DELIVERED)
    tracked_delivered = stand(outcome=Outcome.DELIVERED, tracked=True)
    money = raised.sum_up(given, donors or 0)
    return Figures(
        mailing=mailing.name,
        practice=mailing.practice,
        heard_until=_heard_until(connection, mailing, told=stand() > stand(outcome=Outcome.NONE)),
        planned=stand(),
        accepted=stand(state=accepted),
        failed=stand(state=MessageState.FAILED),
        in_doubt=stand(state=MessageState.IN_DOUBT),
        cancelled=stand(state=MessageState.CANCELLED),
        withdrawn=stand(state=MessageState.WITHDRAWN),
        remaining=stand(state=MessageState.PLANNED) + stand(state=MessageState.SUBMITTING),
        delivered=delivered,
        deferred=stand(outcome=Outcome.DEFERRED),
        silent=stand(state=accepted, outcome=Outcome.NONE),
        bounced=stand(outcome=Outcome.BOUNCED),
        blocked=stand(outcome=Outcome.BLOCKED),
        dropped=stand(outcome=Outcome.DROPPED),
        tracked=stand(state=accepted, tracked=True),
        tracked_delivered=tracked_delivered,
        opened_human=did(Mark.OPENED_HUMAN | Mark.TRACKED),
        opened_machine=did(Mark.OPENED | Mark.TRACKED, without=Mark.OPENED_HUMAN),
        clicked_human=did(Mark.CLICKED_HUMAN | Mark.TRACKED),
        clicked_scanner=did(Mark.CLICKED | Mark.TRACKED, without=Mark.CLICKED_HUMAN),
        untracked_opened=sum(n for marked, n in heard if not marked & Mark.TRACKED
                             and marked & (Mark.OPENED | Mark.CLICKED)),
        unsubscribed=did(Mark.UNSUBSCRIBED),
        complained=did(Mark.COMPLAINED),
        gave=gave,
        donations=money,
        rates=counted.rates(gave=gave, pence=money.amount_pence, squares=int(squares or 0), largest=int(largest or 0)),
    )


class Stand(NamedTuple):
    """So many messages stand so in the ledger."""

    state: str
    outcome: str
    tracked: bool
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Messages as they were counted: of a mailing, or of a part of it."""

    ledger: Sequence[Row[Any] | Stand]
    """How many (``n``) have a ``state``, an ``outcome``, and are ``tracked``."""
    heard: Sequence[tuple[Mark, int]]
    """Of how many these marks are known."""

    def stand(self, *, state: MessageState | None = None, outcome: Outcome | None = None, tracked: bool = False) -> int:
        """How many stand so in the ledger; what is not said may be anything."""
        return sum(row.n for row in self.ledger if (state is None or row.state == state)
                   and (outcome is None or row.outcome == outcome) and (row.tracked or not tracked))

    def did(self, wanted: Mark, without: int = 0) -> int:
        """How many have all these marks, and none of the others."""
        return sum(n for marked, n in self.heard if marked & wanted == wanted and not marked & without)

    def rates(self, *, gave: int, pence: int, squares: int, largest: int) -> dict[str, Rate | None]:
        """Every rate of ``Figures``.

        Args:
            gave: delivered messages whose supporter gave.
            pence: what was given, in pounds alone.
            squares: as ``pounds_each`` takes it.
            largest: as ``pounds_each`` takes it.
        """
        accepted, delivered = self.stand(state=MessageState.ACCEPTED), self.stand(outcome=Outcome.DELIVERED)
        agreed = self.stand(outcome=Outcome.DELIVERED, tracked=True)
        return {
            "delivered": proportion(self.stand(state=MessageState.ACCEPTED, outcome=Outcome.DELIVERED), accepted),
            "opened": proportion(self.did(Mark.OPENED_HUMAN | Mark.TRACKED | Mark.DELIVERED), agreed),
            "clicked": proportion(self.did(Mark.CLICKED_HUMAN | Mark.TRACKED | Mark.DELIVERED), agreed),
            "unsubscribed": proportion(self.did(Mark.UNSUBSCRIBED | Mark.DELIVERED), delivered),
            "complained": proportion(self.did(Mark.COMPLAINED | Mark.DELIVERED), delivered),
            "gave": proportion(gave, delivered),
            "pounds_per_letter": pounds_each(pence, delivered, squares=squares, largest=largest),
        }


_MOST = (MessageState.ACCEPTED, Outcome.DELIVERED)
"""As most messages stand in the end."""


def _ledger(connection: Connection, mailing_id: int, everybody: Mapping[bool, int]) -> list[Stand]:
    """How many messages stand in each state with each outcome, tracked or not.

    Each combination is counted for itself, along the index ``ix_messages_standing``: of a million messages three times
    as fast as grouping them. Only as most stand in the end is not counted: whoever stands in no other way stands so.
    """
    found = [Stand(*row) for row in connection.execute(_standing(mailing_id))]
    for tracked, n in everybody.items():
        found.append(Stand(*_MOST, tracked, n - sum(one.n for one in found if bool(one.tracked) == tracked)))
    return found


def _standing(mailing_id: int) -> Any:
    states, outcomes, choices = _words(MessageState), _words(Outcome), _choices()
    n = select(func.count()).select_from(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.state == states.c.word,
        messages.c.tracked == choices.c.yes, messages.c.outcome == outcomes.c.word).scalar_subquery()
    # Zeros come with the others: asked to leave them out, SQLite counts everything twice.
    return select(states.c.word, outcomes.c.word, choices.c.yes, n).select_from(
        states.join(choices, true()).join(outcomes, true())).where(
        (states.c.word != _MOST[0]) | (outcomes.c.word != _MOST[1]))


def _everybody(mailing_id: int) -> Any:
    """Tracked or not: how many messages; along the same index."""
    states, choices = _words(MessageState), _choices()
    n = select(func.count()).select_from(messages).where(
        messages.c.mailing_id == mailing_id, messages.c.state == states.c.word,
        messages.c.tracked == choices.c.yes).scalar_subquery()
    return select(choices.c.yes, func.sum(n)).select_from(states.join(choices, true())).group_by(choices.c.yes)


def _words(kind: type[MessageState] | type[Outcome]) -> Subquery:
    return union_all(*(select(literal(one.value).label("word")) for one in kind)).subquery()


def _choices() -> Subquery:
    return union_all(*(select(literal(one).label("yes")) for one in (True, False))).subquery()


def _heard_until(connection: Connection, mailing: Any, *, told: bool) -> datetime | None:
    # When things happened, not when we were told: events fetched late must not seem fresh.
    mark: datetime | None = connection.execute(select(marks.c.at).where(
        marks.c.name == HEARD_MARK.format(provider=mailing.transport))).scalar_one_or_none()
    # What was heard before the first letter left says nothing of this mailing; unless something was told of it, by a
    # clock that is behind ours or knows whole seconds only.
    since_launch = told or (mailing.started_at is not None and mark is not None and mark >= mailing.started_at)
    return mark if since_launch else None
